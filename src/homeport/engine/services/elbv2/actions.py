"""Actions of rules and listeners: checked, kept in AWS's shape, and handed to the proxy.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homeport.engine.proxy.model import FixedResponse, Forward, Redirect, WeightedTargetGroup
from homeport.engine.services.context import Context
from homeport.engine.services.elbv2.naming import group_id
from homeport.engine.services.elbv2.usage import check_association
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_KEYWORDS = {"protocol", "host", "port", "path", "query"}
_CARRIED_OUT = ("forward", "redirect", "fixed-response")


def stored(ctx: Context, load_balancer: str, actions: list[Body]) -> list[Body]:
    """The actions as Describe operations show them. Raises AWS's error for those that cannot be."""
    if len(actions) != 1:
        raise AwsError(
            "ValidationError", "Exactly one action of type forward, redirect or fixed-response is needed"
        )
    action = actions[0]
    match action["Type"]:
        case "forward":
            kept = _forward(ctx, load_balancer, action)
        case "redirect":
            kept = {"RedirectConfig": _redirect(action)}
        case "fixed-response":
            kept = {"FixedResponseConfig": _fixed(action)}
        case other:
            carried = ", ".join(_CARRIED_OUT)
            raise AwsError(
                "InvalidLoadBalancerAction", f"homeport carries out the actions {carried}, not '{other}'"
            )
    order = {"Order": action["Order"]} if "Order" in action else {}
    return [{"Type": action["Type"], **order, **kept}]


def groups_of(actions: list[Body]) -> list[str]:
    """The ARNs of the target groups that stored actions forward to."""
    return [
        each["TargetGroupArn"]
        for action in actions
        for each in action.get("ForwardConfig", {}).get("TargetGroups", [])
    ]


def carried_out(actions: list[Body], ports: Mapping[int, int]) -> Forward | Redirect | FixedResponse:
    """A stored action for the proxy; `ports` are those that stand for others on this machine."""
    action = actions[0]
    match action["Type"]:
        case "forward":
            config = action["ForwardConfig"]
            sticky = config.get("TargetGroupStickinessConfig", {})
            return Forward(
                tuple(
                    WeightedTargetGroup(group_id(g["TargetGroupArn"]), g["Weight"])
                    for g in config["TargetGroups"]
                ),
                sticky_seconds=sticky.get("DurationSeconds", 3600) if sticky.get("Enabled") else None,
            )
        case "redirect":
            config = action["RedirectConfig"]
            port = config["Port"]
            return Redirect(
                status=301 if config["StatusCode"] == "HTTP_301" else 302,
                protocol=config["Protocol"],
                host=config["Host"],
                port=str(ports.get(int(port), port)) if port.isdigit() else port,
                path=config["Path"],
                query=config["Query"],
            )
        case _:
            config = action["FixedResponseConfig"]
            return FixedResponse(
                int(config["StatusCode"]),
                config.get("ContentType", "text/plain"),
                config.get("MessageBody", ""),
            )


def _forward(ctx: Context, load_balancer: str, action: Body) -> Body:
    config = action.get("ForwardConfig", {})
    groups = config.get("TargetGroups") or []
    if not groups and "TargetGroupArn" in action:
        groups = [{"TargetGroupArn": action["TargetGroupArn"]}]
    if not 1 <= len(groups) <= 5:
        raise AwsError("ValidationError", "A forward action must have between 1 and 5 target groups")
    arns = [each["TargetGroupArn"] for each in groups]
    if len(set(arns)) != len(arns):
        raise AwsError("ValidationError", "The target groups of a forward action must be unique")
    for each in groups:
        if not 0 <= each.get("Weight", 1) <= 999:
            raise AwsError("ValidationError", f"Weight '{each['Weight']}' must be between 0 and 999")
        check_association(ctx, each["TargetGroupArn"], load_balancer)
    sticky = config.get("TargetGroupStickinessConfig", {"Enabled": False})
    if sticky.get("Enabled") and not 1 <= sticky.get("DurationSeconds", 0) <= 604800:
        raise AwsError(
            "ValidationError", "Target group stickiness needs a duration between 1 and 604800 seconds"
        )
    kept: Body = {
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": each["TargetGroupArn"], "Weight": each.get("Weight", 1)} for each in groups
            ],
            "TargetGroupStickinessConfig": sticky,
        }
    }
    return {"TargetGroupArn": arns[0], **kept} if len(groups) == 1 else kept


def _redirect(action: Body) -> Body:
    config = {
        "Protocol": "#{protocol}",
        "Port": "#{port}",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        **action.get("RedirectConfig", {}),
    }
    if config["Protocol"] not in ("HTTP", "HTTPS", "#{protocol}"):
        raise AwsError(
            "ValidationError",
            f"The redirect protocol '{config['Protocol']}' must be HTTP, HTTPS or #{{protocol}}",
        )
    port = config["Port"]
    if port != "#{port}" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise AwsError(
            "ValidationError", f"The redirect port '{port}' must be between 1 and 65535, or #{{port}}"
        )
    if not config["Path"].startswith("/"):
        raise AwsError("ValidationError", f"The redirect path '{config['Path']}' must start with '/'")
    same = (config["Protocol"], port, config["Host"], config["Path"], config["Query"])
    if same == ("#{protocol}", "#{port}", "#{host}", "/#{path}", "#{query}"):
        raise AwsError(
            "InvalidLoadBalancerAction",
            "The redirect configuration is not valid because it creates a loop: change at least one of protocol, port, "
            "host, path and query",
        )
    for part in ("Host", "Path", "Query"):
        if not re.fullmatch(r"[!-~]*", config[part]) or len(config[part]) > 128:
            raise AwsError("ValidationError", f"The redirect {part.lower()} '{config[part]}' is not valid")
    for part in ("Host", "Path", "Query"):
        unknown = set(re.findall(r"#\{(\w*)\}", config[part])) - _KEYWORDS
        if unknown:
            raise AwsError(
                "ValidationError",
                f"The redirect {part.lower()} '{config[part]}' contains the unknown keyword '{min(unknown)}'",
            )
    return config


def _fixed(action: Body) -> Body:
    config: Body = dict(action.get("FixedResponseConfig", {}))
    if not re.fullmatch(r"[245]\d\d", config.get("StatusCode", "")):
        raise AwsError("ValidationError", f"Status code '{config.get('StatusCode')}' must be 2XX, 4XX or 5XX")
    allowed = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
    if "ContentType" in config and config["ContentType"] not in allowed:
        raise AwsError(
            "ValidationError",
            f"Content type '{config['ContentType']}' must be one of '[{', '.join(allowed)}]'",
        )
    if len(config.get("MessageBody", "")) > 1024:
        raise AwsError("ValidationError", "The message body cannot be longer than '1024' characters")
    return config
