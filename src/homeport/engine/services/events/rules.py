"""Rules: which events of a bus, or which times, concern which targets.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.events.buses import BUSES, DEFAULT, RULES, bus_name, find_bus
from homeport.engine.services.events.patterns import InvalidPattern, compile_pattern
from homeport.engine.services.events.schedules import InvalidSchedule, parse_schedule
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

SCHEDULE_LOOP = "events.schedule"
_SHOWN = (
    "Name",
    "Arn",
    "EventPattern",
    "ScheduleExpression",
    "State",
    "Description",
    "RoleArn",
    "ManagedBy",
    "EventBusName",
)


def find_rule(ctx: Context, bus: str | None, name: str) -> Body:
    """The rule of this name. Raises ResourceNotFoundException."""
    where = find_bus(ctx, bus)["Name"]
    rule = RULES.get(ctx, where, name)
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {where}.")
    return rule


@operation(pass_role={"RoleArn": "events.amazonaws.com"})
async def put_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""
    pattern, schedule = request.get("EventPattern"), request.get("ScheduleExpression")
    _check(pattern, schedule, bus_name(request.get("EventBusName")))
    with ctx.store.transaction():
        bus = find_bus(ctx, request.get("EventBusName"))
        name = request["Name"]
        present = RULES.get(ctx, bus["Name"], name) or {}
        path = name if bus["Name"] == DEFAULT else f"{bus['Name']}/{name}"
        changed = present.get("ScheduleExpression") != schedule
        body = {
            "Name": name,
            "EventBusName": bus["Name"],
            "Arn": ctx.arn(f"rule/{path}"),
            "EventPattern": pattern,
            "ScheduleExpression": schedule,
            "State": request.get("State", "ENABLED"),
            "Description": request.get("Description"),
            "RoleArn": request.get("RoleArn"),
            "CreatedBy": present.get("CreatedBy", ctx.account),
            "Targets": present.get("Targets", []),
            "Tags": present.get("Tags", request.get("Tags") or []),
            "Start": ctx.now() if changed or not present else present["Start"],
        }
        RULES.put(ctx, body)
        ctx.wake(SCHEDULE_LOOP, name)
    return {"RuleArn": body["Arn"]}


def _check(pattern: str | None, schedule: str | None, bus: str) -> None:
    if not pattern and not schedule:
        raise AwsError(
            "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."
        )
    if pattern:
        check_pattern(pattern)
    if schedule:
        if bus != DEFAULT:
            raise AwsError(
                "ValidationException", "ScheduleExpression is supported only on the default event bus."
            )
        try:
            parse_schedule(schedule)
        except InvalidSchedule as error:
            message = f"Parameter ScheduleExpression is not valid: {error}."
            raise AwsError("ValidationException", message) from None


def check_pattern(pattern: str) -> None:
    """Raise InvalidEventPatternException for what is no pattern."""
    try:
        compile_pattern(pattern)
    except InvalidPattern as error:
        raise AwsError(
            "InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}"
        ) from None


@operation
async def delete_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html"""
    with ctx.store.transaction():
        rule = RULES.get(ctx, find_bus(ctx, request.get("EventBusName"))["Name"], request["Name"])
        if rule and rule["Targets"]:
            raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
        if rule:
            RULES.delete(ctx, rule["EventBusName"], rule["Name"])
    return {}


@operation
async def describe_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html"""
    rule = find_rule(ctx, request.get("EventBusName"), request["Name"])
    return {**_shown(rule), "CreatedBy": rule["CreatedBy"]}


def _shown(rule: Body) -> Body:
    return {name: rule[name] for name in _SHOWN if rule.get(name) is not None}


@operation
async def list_rules(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html"""
    bus, prefix = find_bus(ctx, request.get("EventBusName"))["Name"], request.get("NamePrefix") or ""
    rules = [rule for rule in RULES.list(ctx, bus) if rule["Name"].startswith(prefix)]
    found, token = _page(rules, request)
    return {"Rules": [_shown(rule) for rule in found], "NextToken": token}


@operation
async def list_rule_names_by_target(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html"""
    bus = find_bus(ctx, request.get("EventBusName"))["Name"]
    rules = [
        rule
        for rule in RULES.list(ctx, bus)
        if any(target["Arn"] == request["TargetArn"] for target in rule["Targets"])
    ]
    found, token = _page(rules, request)
    return {"RuleNames": [rule["Name"] for rule in found], "NextToken": token}


def _page(rules: list[Body], request: dict[str, Any]) -> tuple[list[Body], str | None]:
    size, token = request.get("Limit", 100), request.get("NextToken")
    return page(rules, size, token, lambda rule: rule["Name"], "ValidationException")


@operation
async def enable_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html"""
    return _set_state(ctx, request, "ENABLED")


@operation
async def disable_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html"""
    return _set_state(ctx, request, "DISABLED")


def _set_state(ctx: Context, request: dict[str, Any], state: str) -> dict[str, Any]:
    with ctx.store.transaction():
        rule = find_rule(ctx, request.get("EventBusName"), request["Name"])
        RULES.put(ctx, {**rule, "State": state})
        ctx.wake(SCHEDULE_LOOP, rule["Name"])
    return {}


@operation
async def test_event_pattern(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html"""
    check_pattern(request["EventPattern"])
    try:
        event = json.loads(request["Event"])
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise AwsError("ValidationException", "Parameter Event is not valid.")
    missing = [
        name for name in ("id", "account", "source", "time", "region", "detail-type") if name not in event
    ]
    if missing:
        raise AwsError(
            "ValidationException", f"Parameter Event is not valid: it has no {', '.join(missing)}."
        )
    return {"Result": compile_pattern(request["EventPattern"]).matches(event)}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html"""
    new = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    return _retag(ctx, request["ResourceARN"], lambda tags: tags | new)


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UntagResource.html"""
    gone = set(request["TagKeys"])
    return _retag(
        ctx,
        request["ResourceARN"],
        lambda tags: {key: value for key, value in tags.items() if key not in gone},
    )


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html"""
    return {"Tags": _tagged(ctx, request["ResourceARN"])[1]["Tags"]}


def _retag(ctx: Context, arn: str, change: Any) -> dict[str, Any]:
    with ctx.store.transaction():
        table, body = _tagged(ctx, arn)
        tags = change({tag["Key"]: tag["Value"] for tag in body["Tags"]})
        table.put(ctx, {**body, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
    return {}


def _tagged(ctx: Context, arn: str) -> tuple[Any, Body]:
    kind, _, path = arn.split(":", 5)[-1].partition("/")
    if kind == "rule":
        bus, _, name = path.rpartition("/")
        return RULES, find_rule(ctx, bus or DEFAULT, name)
    return BUSES, find_bus(ctx, path)
