"""Targets of rules: what gets the events.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.events.buses import RULES
from homeport.engine.services.events.destinations import DESTINATIONS, service_of
from homeport.engine.services.events.rules import find_rule
from homeport.engine.services.events.transformers import InvalidTransformer, check
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation(pass_role={"Targets[].RoleArn": "events.amazonaws.com"})
async def put_targets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html"""
    for target in request["Targets"]:
        _check(target)
    with ctx.store.transaction():
        rule = find_rule(ctx, request.get("EventBusName"), request["Rule"])
        targets = {target["Id"]: target for target in [*rule["Targets"], *request["Targets"]]}
        RULES.put(ctx, {**rule, "Targets": list(targets.values())})
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _check(target: dict[str, Any]) -> None:
    service = service_of(target["Arn"])
    if service not in DESTINATIONS:
        raise AwsError(
            "ValidationException",
            f"homeport does not deliver events to {target['Arn']}: it has targets of the services "
            f"{', '.join(sorted(DESTINATIONS))}.",
        )
    if DESTINATIONS[service].needs_role and not target.get("RoleArn"):
        raise AwsError("ValidationException", f"RoleArn is required for target {target['Arn']}.")
    if service == "ecs" and not target.get("EcsParameters"):
        raise AwsError("ValidationException", f"EcsParameters is required for target {target['Arn']}.")
    try:
        check(target)
    except InvalidTransformer as error:
        raise AwsError("ValidationException", str(error)) from None


@operation
async def remove_targets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemoveTargets.html"""
    with ctx.store.transaction():
        rule = find_rule(ctx, request.get("EventBusName"), request["Rule"])
        kept = [target for target in rule["Targets"] if target["Id"] not in request["Ids"]]
        RULES.put(ctx, {**rule, "Targets": kept})
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation
async def list_targets_by_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html"""
    rule = find_rule(ctx, request.get("EventBusName"), request["Rule"])
    found, token = page(
        sorted(rule["Targets"], key=lambda target: target["Id"]),
        request.get("Limit", 100),
        request.get("NextToken"),
        lambda target: target["Id"],
        "ValidationException",
    )
    return {"Targets": found, "NextToken": token}
