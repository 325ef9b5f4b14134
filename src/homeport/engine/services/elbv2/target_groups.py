"""Target groups.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import lookup, pages, tags
from homeport.engine.services.elbv2.balancing import carry_out
from homeport.engine.services.elbv2.tables import TARGET_GROUPS, TARGETS
from homeport.engine.services.elbv2.usage import users
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_CHECK = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
}
_RANGES = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}


@operation
async def create_target_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"""
    name = _valid_name(request["Name"])
    tags.validate(request.get("Tags", []))
    kind = request.get("TargetType", "instance")
    if kind not in ("instance", "ip"):
        raise AwsError(
            "InvalidConfigurationRequest",
            f"homeport carries out targets of type ip and instance, not '{kind}'",
        )
    for member in ("Protocol", "Port", "VpcId"):
        if member not in request:
            noun = {"Protocol": "protocol", "Port": "port", "VpcId": "VPC ID"}[member]
            raise AwsError("ValidationError", f"A {noun} must be specified")
    if request["Protocol"] not in ("HTTP", "HTTPS"):
        raise AwsError(
            "InvalidConfigurationRequest",
            f"homeport carries out HTTP and HTTPS targets, not '{request['Protocol']}'",
        )
    version = request.get("ProtocolVersion") or "HTTP1"  # Terraform sends it empty
    if version not in ("HTTP1", "HTTP2", "GRPC"):
        raise AwsError("ValidationError", f"Protocol version '{version}' must be one of 'GRPC, HTTP1, HTTP2'")
    grpc = version == "GRPC"
    settings = {
        "TargetGroupName": name,
        "Protocol": request["Protocol"],
        "Port": request["Port"],
        "VpcId": request["VpcId"],
        "TargetType": kind,
        "ProtocolVersion": version,
        "IpAddressType": request.get("IpAddressType", "ipv4"),
        "HealthCheckPath": request.get("HealthCheckPath", "/AWS.ALB/healthcheck" if grpc else "/"),
        "Matcher": request.get("Matcher", {"GrpcCode": "12"} if grpc else {"HttpCode": "200"}),
        **{key: request.get(key, default) for key, default in _CHECK.items()},
    }
    _check_health_check(settings)
    arn = ctx.arn(f"targetgroup/{name}/{secrets.token_hex(8)}", service="elasticloadbalancing")
    body = {"TargetGroupArn": arn, **settings, "attributes": {}, "tags": request.get("Tags", [])}
    with ctx.store.transaction():
        for existing in TARGET_GROUPS.list(ctx, TargetGroupName=name):
            if any(existing[key] != value for key, value in settings.items()):
                raise AwsError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, but with different settings",
                )
            return {"TargetGroups": [_shown(ctx, existing)]}
        TARGET_GROUPS.put(ctx, body)
    return {"TargetGroups": [_shown(ctx, body)]}


@operation
async def describe_target_groups(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html"""
    found = TARGET_GROUPS.list(ctx)
    if request.get("TargetGroupArns"):
        found = [lookup.target_group(ctx, arn) for arn in request["TargetGroupArns"]]
    elif request.get("Names"):
        found = [each for each in found if each["TargetGroupName"] in request["Names"]]
        if len(found) < len(set(request["Names"])):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    shown = [_shown(ctx, each) for each in found]
    if "LoadBalancerArn" in request:
        lookup.load_balancer(ctx, request["LoadBalancerArn"])
        shown = [each for each in shown if request["LoadBalancerArn"] in each["LoadBalancerArns"]]
    return pages.answer("TargetGroups", shown, request, lambda each: each["TargetGroupArn"])


@operation
async def modify_target_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyTargetGroup.html"""
    with ctx.store.transaction():
        body = lookup.target_group(ctx, request["TargetGroupArn"])
        body |= request
        _check_health_check(body)
        TARGET_GROUPS.put(ctx, body)
    await carry_out(ctx)
    return {"TargetGroups": [_shown(ctx, body)]}


@operation
async def delete_target_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html"""
    arn = request["TargetGroupArn"]
    with ctx.store.transaction():
        if users(ctx, arn):
            raise AwsError(
                "ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule"
            )
        for target in TARGETS.list(ctx, arn):
            TARGETS.delete(ctx, arn, target["Id"], target["Port"])
        TARGET_GROUPS.delete(ctx, arn)
    return {}


def _shown(ctx: Context, body: Body) -> Body:
    return {**body, "LoadBalancerArns": sorted(users(ctx, body["TargetGroupArn"]))}


def _valid_name(name: str) -> str:
    if len(name) > 32:
        raise AwsError("ValidationError", f"Target group name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", name):
        raise AwsError(
            "ValidationError",
            f"Target group name '{name}' can only contain characters that are "
            "alphanumeric characters or hyphens(-), and cannot begin or end with a hyphen(-)",
        )
    return name


def _check_health_check(body: Body) -> None:
    for member, (least, most) in _RANGES.items():
        if not least <= body[member] <= most:
            raise AwsError(
                "ValidationError", f"{member} '{body[member]}' must be between '{least}' and '{most}'"
            )
    if body["HealthCheckTimeoutSeconds"] >= body["HealthCheckIntervalSeconds"]:
        raise AwsError("ValidationError", "Health check interval must be greater than the timeout")
    if body["HealthCheckProtocol"] not in ("HTTP", "HTTPS"):
        raise AwsError(
            "ValidationError",
            f"Health check protocol '{body['HealthCheckProtocol']}' must be one of 'HTTP, HTTPS' for "
            "application load balancers",
        )
    if not body["HealthCheckEnabled"]:
        raise AwsError(
            "ValidationError",
            "Health check enabled must be true for target groups with target type 'ip' or 'instance'",
        )
    port = body["HealthCheckPort"]
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise AwsError(
            "ValidationError",
            f"Health check port '{port}' must be 'traffic-port' or a number between 1 and 65535",
        )
    if not body["HealthCheckPath"].startswith("/"):
        raise AwsError(
            "ValidationError",
            f"Health check path '{body['HealthCheckPath']}' must begin with a '/' character",
        )
    _check_codes(body["Matcher"].get("HttpCode", "200"))


def _check_codes(codes: str) -> None:
    for part in codes.split(","):
        first, _, last = part.strip().partition("-")
        if not (
            first.isdigit() and (last or first).isdigit() and 200 <= int(first) <= int(last or first) <= 499
        ):
            raise AwsError(
                "ValidationError", f"Health check matcher HTTP code '{codes}' must be within '200-499'"
            )
