"""Attributes of load balancers, target groups and listeners: their keys, defaults and allowed values.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html,
API_TargetGroupAttribute.html, API_ListenerAttribute.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import lookup
from homeport.engine.services.elbv2.access_logs import prove_access
from homeport.engine.services.elbv2.balancing import carry_out
from homeport.engine.services.elbv2.ports import replaced_ports
from homeport.engine.services.elbv2.tables import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS
from homeport.engine.services.service import operation
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


class Attribute(NamedTuple):
    """A default, and what else may be: words, a range of whole numbers, or (neither) any text."""

    default: str
    words: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


def _flag(default: str) -> Attribute:
    return Attribute(default, ("true", "false"))


LOAD_BALANCER: Mapping[str, Attribute] = {
    "access_logs.s3.enabled": _flag("false"),
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.prefix": Attribute(""),
    "client_keep_alive.seconds": Attribute("3600", (), 60, 604800),
    "connection_logs.s3.enabled": _flag("false"),
    "connection_logs.s3.bucket": Attribute(""),
    "connection_logs.s3.prefix": Attribute(""),
    "deletion_protection.enabled": _flag("false"),
    "health_check_logs.s3.enabled": _flag("false"),
    "health_check_logs.s3.bucket": Attribute(""),
    "health_check_logs.s3.prefix": Attribute(""),
    "idle_timeout.timeout_seconds": Attribute("60", (), 1, 4000),
    "load_balancing.cross_zone.enabled": Attribute("true", ("true",)),
    "routing.http.desync_mitigation_mode": Attribute("defensive", ("monitor", "defensive", "strictest")),
    "routing.http.drop_invalid_header_fields.enabled": _flag("false"),
    "routing.http.preserve_host_header.enabled": _flag("false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _flag("false"),
    "routing.http.xff_client_port.enabled": _flag("false"),
    "routing.http.xff_header_processing.mode": Attribute("append", ("append", "preserve", "remove")),
    "routing.http2.enabled": _flag("true"),
    "waf.fail_open.enabled": _flag("false"),
    "zonal_shift.config.enabled": _flag("false"),
}

TARGET_GROUP: Mapping[str, Attribute] = {
    "deregistration_delay.timeout_seconds": Attribute("300", (), 0, 3600),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", ("on", "off")),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", ("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", ("true", "false", "use_load_balancer_configuration")
    ),
    "slow_start.duration_seconds": Attribute("0", (), 0, 900),
    "stickiness.app_cookie.cookie_name": Attribute(""),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", (), 1, 604800),
    "stickiness.enabled": _flag("false"),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", (), 1, 604800),
    "stickiness.type": Attribute("lb_cookie", ("lb_cookie", "app_cookie")),
    "target_group_health.dns_failover.minimum_healthy_targets.count": Attribute("1"),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": Attribute("off"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1"),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute("off"),
}

_ABSENT = {"connection_logs.s3.enabled", "health_check_logs.s3.enabled"}
_LEAST_SLOW_START = 30
_HEADERS = (
    "access_control_allow_credentials",
    "access_control_allow_headers",
    "access_control_allow_methods",
    "access_control_allow_origin",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
)
LISTENER: Mapping[str, Attribute] = {
    "routing.http.response.server.enabled": _flag("true"),
    **{f"routing.http.response.{header}.header_value": Attribute("") for header in _HEADERS},
}


@operation
async def describe_load_balancer_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancerAttributes.html"""
    body = lookup.load_balancer(ctx, request["LoadBalancerArn"])
    return {"Attributes": _shown(LOAD_BALANCER, body) + _replaced(ctx, body)}


@operation
async def modify_load_balancer_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyLoadBalancerAttributes.html"""
    arn = request["LoadBalancerArn"]
    changed = _checked("Load balancer", LOAD_BALANCER, request["Attributes"])
    before = lookup.load_balancer(ctx, arn)
    await prove_access(ctx, before, before["attributes"] | changed)
    with ctx.store.transaction():
        body = lookup.load_balancer(ctx, arn)
        body["attributes"] |= changed
        LOAD_BALANCERS.put(ctx, body)
    await carry_out(ctx)
    ctx.engine.wake("elbv2.access-logs", Scope(ctx.engine.account, ctx.engine.region), "all")
    return {"Attributes": _shown(LOAD_BALANCER, body) + _replaced(ctx, body)}


@operation
async def describe_target_group_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroupAttributes.html"""
    return {"Attributes": _shown(TARGET_GROUP, lookup.target_group(ctx, request["TargetGroupArn"]))}


@operation
async def modify_target_group_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyTargetGroupAttributes.html"""
    changed = _checked("Target group", TARGET_GROUP, request["Attributes"])
    with ctx.store.transaction():
        body = lookup.target_group(ctx, request["TargetGroupArn"])
        body["attributes"] |= changed
        TARGET_GROUPS.put(ctx, body)
    await carry_out(ctx)
    return {"Attributes": _shown(TARGET_GROUP, body)}


@operation
async def describe_listener_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListenerAttributes.html"""
    return {"Attributes": _shown(LISTENER, lookup.listener(ctx, request["ListenerArn"]))}


@operation
async def modify_listener_attributes(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListenerAttributes.html"""
    changed = _checked("Listener", LISTENER, request["Attributes"])
    with ctx.store.transaction():
        body = lookup.listener(ctx, request["ListenerArn"])
        body["attributes"] |= changed
        LISTENERS.put(ctx, body)
    await carry_out(ctx)
    return {"Attributes": _shown(LISTENER, body)}


def _shown(known: Mapping[str, Attribute], body: Body) -> list[Body]:
    values = {key: attribute.default for key, attribute in known.items()} | body["attributes"]
    return [{"Key": key, "Value": value} for key, value in sorted(values.items())]


def _replaced(ctx: Context, body: Body) -> list[Body]:
    """The ports of this load balancer that this machine could not give, as read-only attributes."""
    ports = {listener["Port"] for listener in LISTENERS.list(ctx, LoadBalancerArn=body["LoadBalancerArn"])}
    replaced = replaced_ports(ctx.engine)
    return [
        {"Key": f"homeport.port.{port}", "Value": str(replaced[port])}
        for port in sorted(ports)
        if port in replaced
    ]


def _checked(noun: str, known: Mapping[str, Attribute], wanted: list[Body]) -> dict[str, str]:
    changed = {}
    for each in wanted:
        key, value = each.get("Key", ""), each.get("Value", "")
        if key.startswith("homeport.port."):
            raise AwsError("ValidationError", f"{noun} attribute '{key}' is read-only")
        attribute = known.get(key)
        if attribute is None:
            raise AwsError("ValidationError", f"{noun} attribute key '{key}' is not recognized")
        if attribute.words and value not in attribute.words:
            words = ", ".join(attribute.words)
            raise AwsError(
                "ValidationError", f"'{value}' is not a valid value for '{key}': it is one of {words}"
            )
        if attribute.most and not (value.isdigit() and attribute.least <= int(value) <= attribute.most):
            span = f"{attribute.least} and {attribute.most}"
            raise AwsError("ValidationError", f"'{key}' must be a whole number between {span}, not '{value}'")
        if key in _ABSENT and value == "true":
            raise AwsError("InvalidConfigurationRequest", f"homeport does not write these logs: '{key}'")
        if key == "slow_start.duration_seconds" and value != "0" and int(value) < _LEAST_SLOW_START:
            raise AwsError(
                "ValidationError", f"'{key}' must be 0 or a whole number between {_LEAST_SLOW_START} and 900"
            )
        if not value.isprintable():
            raise AwsError("ValidationError", f"'{value}' is not a valid value for '{key}'")
        changed[key] = value
    return changed
