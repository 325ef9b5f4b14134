"""Rules of listeners.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import actions, conditions, lookup, pages, tags
from homeport.engine.services.elbv2.balancing import carry_out
from homeport.engine.services.elbv2.tables import LISTENERS, RULES
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_MOST_RULES = 100


@operation
async def create_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html"""
    tags.validate(request.get("Tags", []))
    _refuse_transforms(request)
    with ctx.store.transaction():
        listener = lookup.listener(ctx, request["ListenerArn"])
        existing = RULES.list(ctx, ListenerArn=listener["ListenerArn"])
        if len(existing) > _MOST_RULES:
            raise AwsError("TooManyRules", f"A load balancer can have at most '{_MOST_RULES}' rules")
        priority = _check_priority(request["Priority"])
        if any(rule["order"] == priority for rule in existing):
            raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
        arn = listener["ListenerArn"].replace(":listener/", ":listener-rule/")
        body = {
            "RuleArn": f"{arn}/{secrets.token_hex(8)}",
            "ListenerArn": listener["ListenerArn"],
            "Priority": str(priority),
            "order": priority,
            "IsDefault": False,
            "Conditions": conditions.stored(request["Conditions"]),
            "Actions": actions.stored(ctx, listener["LoadBalancerArn"], request["Actions"]),
            "tags": request.get("Tags", []),
        }
        RULES.put(ctx, body)
    await carry_out(ctx)
    return {"Rules": [body]}


@operation
async def describe_rules(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html"""
    if request.get("RuleArns") and "ListenerArn" in request:
        raise AwsError("ValidationError", "You can't specify both listener and rule ARNs")
    if request.get("RuleArns"):
        found = [lookup.rule(ctx, arn) for arn in request["RuleArns"]]
    elif "ListenerArn" in request:
        lookup.listener(ctx, request["ListenerArn"])
        found = RULES.list(ctx, ListenerArn=request["ListenerArn"])
    else:
        raise AwsError("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
    return pages.answer("Rules", found, request, lambda each: [each["order"], each["RuleArn"]])


@operation
async def modify_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html"""
    _refuse_transforms(request)
    with ctx.store.transaction():
        body = lookup.rule(ctx, request["RuleArn"])
        listener = lookup.listener(ctx, body["ListenerArn"])
        if "Conditions" in request:
            if body["IsDefault"]:
                raise AwsError(
                    "OperationNotPermitted", f"Default rule '{body['RuleArn']}' cannot have conditions"
                )
            body["Conditions"] = conditions.stored(request["Conditions"])
        if "Actions" in request:
            body["Actions"] = actions.stored(ctx, listener["LoadBalancerArn"], request["Actions"])
            if body["IsDefault"]:
                LISTENERS.put(ctx, {**listener, "DefaultActions": body["Actions"]})
        RULES.put(ctx, body)
    await carry_out(ctx)
    return {"Rules": [body]}


@operation
async def delete_rule(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteRule.html"""
    with ctx.store.transaction():
        body = lookup.rule(ctx, request["RuleArn"])
        if body["IsDefault"]:
            raise AwsError("OperationNotPermitted", f"Default rule '{body['RuleArn']}' cannot be deleted")
        RULES.delete(ctx, body["RuleArn"])
    await carry_out(ctx)
    return {}


@operation
async def set_rule_priorities(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetRulePriorities.html"""
    wanted = {each["RuleArn"]: _check_priority(each["Priority"]) for each in request["RulePriorities"]}
    with ctx.store.transaction():
        changed = [lookup.rule(ctx, arn) for arn in wanted]
        for body in changed:
            if body["IsDefault"]:
                raise AwsError(
                    "OperationNotPermitted", f"The priority of default rule '{body['RuleArn']}' is fixed"
                )
            body |= {"order": wanted[body["RuleArn"]], "Priority": str(wanted[body["RuleArn"]])}
            RULES.put(ctx, body)
        for listener in {body["ListenerArn"] for body in changed}:
            orders = [rule["order"] for rule in RULES.list(ctx, ListenerArn=listener)]
            for order in orders:
                if orders.count(order) > 1:
                    raise AwsError("PriorityInUse", f"Priority '{order}' is currently in use")
    await carry_out(ctx)
    return {"Rules": changed}


def _check_priority(priority: int) -> int:
    if not 1 <= priority <= 50000:
        raise AwsError("ValidationError", f"Priority '{priority}' must be between 1 and 50000")
    return priority


def _refuse_transforms(request: Body) -> None:
    if request.get("Transforms"):
        raise AwsError("InvalidConfigurationRequest", "homeport does not carry out transforms of rules")
