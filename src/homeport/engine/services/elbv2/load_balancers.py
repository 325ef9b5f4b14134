"""Load balancers.

A load balancer is active at once. Its DNS name is `<name>-<number>.<region>.elb.localhost`, which browsers resolve
to this machine. Subnets, VPC and security groups are taken as given: zones come from EC2 when it knows the subnets,
else they are numbered through.

A port that this machine cannot give (80 without the privilege, or one that another program holds) is replaced. The
replacement is shown as the attribute `homeport.port.<port>` of the load balancer (DescribeLoadBalancerAttributes).

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import lookup, pages, tags
from homeport.engine.services.elbv2.balancing import carry_out
from homeport.engine.services.elbv2.listeners import remove_listener
from homeport.engine.services.elbv2.tables import LISTENERS, LOAD_BALANCERS
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_ZONE_ID = "Z35SXDOTRQ7X7K"  # the hosted zone that AWS uses for load balancers in us-east-1
_SETTINGS = ("Scheme", "Type", "IpAddressType", "SecurityGroups")


@operation
async def create_load_balancer(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"""
    name = _valid_name(request["Name"])
    if request.get("Type", "application") != "application":
        raise AwsError(
            "InvalidConfigurationRequest",
            f"homeport carries out application load balancers only, not type '{request['Type']}'",
        )
    tags.validate(request.get("Tags", []))
    zones = await _zones(ctx, request)
    number, suffix = str(secrets.randbelow(9 * 10**9) + 10**9), secrets.token_hex(8)
    internal = request.get("Scheme") == "internal"
    host = f"{'internal-' if internal else ''}{name}-{number}.{ctx.region}.elb.localhost".lower()
    body = {
        "LoadBalancerArn": ctx.arn(f"loadbalancer/app/{name}/{suffix}", service="elasticloadbalancing"),
        "LoadBalancerName": name,
        "DNSName": host,
        "CanonicalHostedZoneId": _ZONE_ID,
        "CreatedTime": ctx.now(),
        "Scheme": request.get("Scheme", "internet-facing"),
        "Type": "application",
        "IpAddressType": request.get("IpAddressType", "ipv4"),
        "SecurityGroups": request.get("SecurityGroups", []),
        "State": {"Code": "active"},
        "attributes": {},
        "tags": request.get("Tags", []),
        **zones,
    }
    with ctx.store.transaction():
        for existing in LOAD_BALANCERS.list(ctx, LoadBalancerName=name):
            if any(existing[key] != body[key] for key in _SETTINGS) or _subnets(existing) != _subnets(body):
                raise AwsError(
                    "DuplicateLoadBalancerName",
                    f"A load balancer with the same name '{name}' exists, but with different settings",
                )
            return {"LoadBalancers": [existing]}
        LOAD_BALANCERS.put(ctx, body)
    return {"LoadBalancers": [body]}


@operation
async def describe_load_balancers(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html"""
    arns, names = request.get("LoadBalancerArns", []), request.get("Names", [])
    if arns and names:
        raise AwsError(
            "ValidationError", "Load balancer names and load balancer ARNs cannot be specified together"
        )
    found = LOAD_BALANCERS.list(ctx)
    if arns:
        found = [lookup.load_balancer(ctx, arn) for arn in arns]
    elif names:
        missing = sorted(set(names) - {each["LoadBalancerName"] for each in found})
        if missing:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        found = [each for each in found if each["LoadBalancerName"] in names]
    state = _state(ctx)
    shown = [{**each, "State": state} for each in found]
    return pages.answer("LoadBalancers", shown, request, lambda each: each["LoadBalancerArn"])


@operation
async def describe_capacity_reservation(ctx: Context, request: Body) -> Body:
    """No capacity is reserved.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeCapacityReservation.html"""
    lookup.load_balancer(ctx, request["LoadBalancerArn"])
    return {"CapacityReservationState": []}


def _state(ctx: Context) -> Body:
    """All load balancers are one Envoy: when it does not follow, none does."""
    trouble = ctx.engine.proxy.trouble
    return {"Code": "active_impaired", "Reason": trouble} if trouble else {"Code": "active"}


@operation
async def delete_load_balancer(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html"""
    arn = request["LoadBalancerArn"]
    with ctx.store.transaction():
        body = LOAD_BALANCERS.get(ctx, arn)
        if body is None:  # deleting twice succeeds, as on AWS
            return {}
        if body["attributes"].get("deletion_protection.enabled") == "true":
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        for listener in LISTENERS.list(ctx, LoadBalancerArn=arn):
            remove_listener(ctx, listener)
        LOAD_BALANCERS.delete(ctx, arn)
    await carry_out(ctx)
    return {}


@operation
async def set_security_groups(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSecurityGroups.html"""
    with ctx.store.transaction():
        body = lookup.load_balancer(ctx, request["LoadBalancerArn"])
        LOAD_BALANCERS.put(ctx, {**body, "SecurityGroups": request["SecurityGroups"]})
    return {"SecurityGroupIds": request["SecurityGroups"]}


@operation
async def set_subnets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html"""
    lookup.load_balancer(ctx, request["LoadBalancerArn"])
    zones = await _zones(ctx, request)
    with ctx.store.transaction():
        body = lookup.load_balancer(ctx, request["LoadBalancerArn"])
        body |= zones | {"IpAddressType": request.get("IpAddressType", body["IpAddressType"])}
        LOAD_BALANCERS.put(ctx, body)
    return {"AvailabilityZones": body["AvailabilityZones"], "IpAddressType": body["IpAddressType"]}


@operation
async def set_ip_address_type(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetIpAddressType.html"""
    with ctx.store.transaction():
        body = lookup.load_balancer(ctx, request["LoadBalancerArn"])
        LOAD_BALANCERS.put(ctx, {**body, "IpAddressType": request["IpAddressType"]})
    return {"IpAddressType": request["IpAddressType"]}


def _valid_name(name: str) -> str:
    if len(name) > 32:
        raise AwsError(
            "ValidationError", f"The load balancer name '{name}' cannot be longer than '32' characters"
        )
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise AwsError(
            "ValidationError",
            f"The load balancer name '{name}' can only contain characters that are "
            "alphanumeric characters and hyphens(-)",
        )
    if name.startswith("-") or name.endswith("-"):
        raise AwsError(
            "ValidationError", f"The load balancer name '{name}' cannot begin or end with a hyphen(-)"
        )
    if name.startswith("internal-"):
        raise AwsError("ValidationError", f"The load balancer name '{name}' cannot begin with 'internal-'")
    return name


async def _zones(ctx: Context, request: Body) -> Body:
    """The zones of the request's subnets, and their VPC."""
    subnets = request.get("Subnets") or [each["SubnetId"] for each in request.get("SubnetMappings", [])]
    if len(set(subnets)) < 2:
        raise AwsError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    try:
        answer = await ctx.client("ec2", as_service=True).describe_subnets(SubnetIds=subnets)
        known = {each["SubnetId"]: each for each in answer["Subnets"]}
    except AwsError:
        known = {}
    zones = [
        {
            "SubnetId": subnet,
            "ZoneName": known.get(subnet, {}).get(
                "AvailabilityZone", f"{ctx.region}{'abcdef'[position % 6]}"
            ),
            "LoadBalancerAddresses": [],
        }
        for position, subnet in enumerate(subnets)
    ]
    names = [zone["ZoneName"] for zone in zones]
    if len(set(names)) < len(names):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    vpc = next((each["VpcId"] for each in known.values()), "vpc-00000000")
    return {"AvailabilityZones": zones, "VpcId": vpc}


def _subnets(body: Body) -> set[str]:
    return {zone["SubnetId"] for zone in body["AvailabilityZones"]}
