"""Targets: registration, deregistration, health.

Registration is effective when the call returns. A deregistered target gets no new request from then on; it is
`draining` until its last request has ended, at most for the deregistration delay. (AWS shows it as draining for the
whole delay even when nothing is left to wait for.) Whoever waits for health listens to `elbv2.health:<arn>`.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

import ipaddress
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import lookup
from homeport.engine.services.elbv2.balancing import carry_out, health_topic
from homeport.engine.services.elbv2.naming import group_id
from homeport.engine.services.elbv2.tables import TARGETS
from homeport.engine.services.elbv2.usage import users
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

DRAINING = "elbv2.draining"  # the reconciler that ends it
_THIS_MACHINE = "127.0.0.1"
_DEFAULT_DELAY = "300"


@operation
async def register_targets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html"""
    with ctx.store.transaction():
        group = lookup.target_group(ctx, request["TargetGroupArn"])
        for target in request["Targets"]:
            body = {
                "TargetGroupArn": group["TargetGroupArn"],
                "Id": target["Id"],
                "Port": target.get("Port", group["Port"]),
                "state": "registered",
                "address": _address(group, target["Id"]),
                "since": ctx.now(),
            }
            if "AvailabilityZone" in target:
                body["AvailabilityZone"] = target["AvailabilityZone"]
            known = TARGETS.get(ctx, group["TargetGroupArn"], body["Id"], body["Port"])
            if known is None or known["state"] != "registered":
                TARGETS.put(ctx, body)
    await carry_out(ctx)
    ctx.notify(health_topic(group["TargetGroupArn"]))
    return {}


@operation
async def deregister_targets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html"""
    arn = request["TargetGroupArn"]
    with ctx.store.transaction():
        group = lookup.target_group(ctx, arn)
        used = bool(users(ctx, arn))
        delay = int(group["attributes"].get("deregistration_delay.timeout_seconds", _DEFAULT_DELAY))
        for target in request["Targets"]:
            for body in _registered(ctx, arn, target):
                if not used or delay == 0:
                    TARGETS.delete(ctx, arn, body["Id"], body["Port"])
                elif body["state"] == "registered":
                    now = ctx.now()
                    TARGETS.put(ctx, body | {"state": "draining", "since": now, "until": now + delay})
    await carry_out(ctx)
    ctx.wake(DRAINING, arn)
    ctx.notify(health_topic(arn))
    return {}


@operation
async def describe_target_health(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html"""
    arn = request["TargetGroupArn"]
    group = lookup.target_group(ctx, arn)
    used = bool(users(ctx, arn))
    known = {(body["Id"], body["Port"]): body for body in TARGETS.list(ctx, arn)}
    wanted = list(known)
    if request.get("Targets"):
        wanted = [(each["Id"], each.get("Port", group["Port"])) for each in request["Targets"]]
    return {
        "TargetHealthDescriptions": [
            _described(ctx, group, id, port, known.get((id, port)), used) for id, port in wanted
        ]
    }


def _described(ctx: Context, group: Body, id: str, port: int, body: Body | None, used: bool) -> Body:
    target = {"Id": id, "Port": port}
    if body and "AvailabilityZone" in body:
        target["AvailabilityZone"] = body["AvailabilityZone"]
    check = group["HealthCheckPort"]
    return {
        "Target": target,
        "HealthCheckPort": str(port) if check == "traffic-port" else check,
        "TargetHealth": _health(ctx, group, body, used),
    }


def _health(ctx: Context, group: Body, body: Body | None, used: bool) -> Body:
    if body is None:
        return _state("unused", "Target.NotRegistered", "Target is not registered to the target group")
    if not used:
        return _state(
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        )
    if body["state"] == "draining":
        return _state("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    found = ctx.engine.proxy.health.of(group_id(group["TargetGroupArn"])).get((body["address"], body["Port"]))
    if found is None:
        return _state("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    return _state(found.state, found.reason, found.description)


def _state(state: str, reason: str | None, description: str | None) -> Body:
    return {"State": state, **({"Reason": reason, "Description": description} if reason else {})}


def _registered(ctx: Context, arn: str, target: Body) -> list[Body]:
    """The registrations that a target description means: all ports of it when it names none."""
    return [
        body
        for body in TARGETS.list(ctx, arn, target["Id"])
        if target.get("Port", body["Port"]) == body["Port"]
    ]


def _address(group: Body, id: str) -> str:
    """What Envoy connects to. Instances are this machine: containers publish their ports here."""
    if group["TargetType"] == "instance":
        if not id.startswith("i-"):
            raise AwsError("InvalidTarget", f"The target '{id}' is not an instance ID")
        return _THIS_MACHINE
    try:
        return str(ipaddress.ip_address(id))
    except ValueError:
        raise AwsError("ValidationError", f"The IP address '{id}' is not a valid IPv4 address") from None
