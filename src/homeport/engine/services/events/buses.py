"""Event buses. Every account has `default` in every region.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

BUSES = Table("events_buses", key=("Name",))
RULES = Table("events_rules", key=("EventBusName", "Name"))
DEFAULT = "default"


def bus_name(identifier: str | None) -> str:
    """The name in a bus's name or ARN; `default` when none is given."""
    return (identifier or DEFAULT).rpartition("event-bus/")[2]


def find_bus(ctx: Context, identifier: str | None) -> Body:
    """The bus of this name or ARN. Raises ResourceNotFoundException."""
    name = bus_name(identifier)
    bus = BUSES.get(ctx, name)
    if bus is None and name == DEFAULT:
        bus = {"Name": DEFAULT, "Arn": ctx.arn("event-bus/default"), "CreationTime": 0.0, "Tags": []}
    if bus is None:
        raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return bus


@operation
async def create_event_bus(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html"""
    name = request["Name"]
    if "/" in name or request.get("EventSourceName"):
        raise AwsError("ValidationException", "Event bus name must not contain '/'.")
    with ctx.store.transaction():
        if name == DEFAULT or BUSES.get(ctx, name):
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        body = {
            "Name": name,
            "Arn": ctx.arn(f"event-bus/{name}"),
            "Description": request.get("Description"),
            "CreationTime": ctx.now(),
            "LastModifiedTime": ctx.now(),
            "Tags": request.get("Tags") or [],
        }
        BUSES.put(ctx, body)
    return {"EventBusArn": body["Arn"], "Description": body["Description"]}


@operation
async def delete_event_bus(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteEventBus.html"""
    name = request["Name"]
    if name == DEFAULT:
        raise AwsError("ValidationException", "Cannot delete event bus default.")
    with ctx.store.transaction():
        if RULES.list(ctx, name, limit=1):
            raise AwsError("ValidationException", "Event bus can't be deleted since it has rules.")
        BUSES.delete(ctx, name)
    return {}


@operation
async def describe_event_bus(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html"""
    return _shown(find_bus(ctx, request.get("Name")))


@operation
async def list_event_buses(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html"""
    named = {bus["Name"]: bus for bus in [find_bus(ctx, DEFAULT), *BUSES.list(ctx)]}
    prefix = request.get("NamePrefix") or ""
    found, token = page(
        [named[name] for name in sorted(named) if name.startswith(prefix)],
        request.get("Limit", 100),
        request.get("NextToken"),
        lambda bus: bus["Name"],
        "ValidationException",
    )
    return {"EventBuses": [_shown(bus) for bus in found], "NextToken": token}


def _shown(bus: Body) -> Body:
    policy = bus.get("Policy")
    return {**bus, "Policy": json.dumps(policy) if policy else None}


@operation
async def put_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html"""
    with ctx.store.transaction():
        bus = find_bus(ctx, request.get("EventBusName"))
        if request.get("Policy"):
            try:
                policy = json.loads(request["Policy"])
            except ValueError:
                raise AwsError("ValidationException", "The policy is not valid JSON.") from None
        else:
            policy = bus.get("Policy") or {"Version": "2012-10-17", "Statement": []}
            kept = [each for each in policy["Statement"] if each.get("Sid") != request.get("StatementId")]
            policy["Statement"] = [*kept, _statement(bus, request)]
        BUSES.put(ctx, {**bus, "Policy": policy})
    return {}


def _statement(bus: Body, request: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("Action", "Principal", "StatementId") if not request.get(name)]
    if missing:
        raise AwsError("ValidationException", f"Parameter(s) {', '.join(missing)} must be specified.")
    who = request["Principal"]
    statement = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if who == "*" else {"AWS": f"arn:aws:iam::{who}:root"},
        "Action": request["Action"],
        "Resource": bus["Arn"],
    }
    if condition := request.get("Condition"):
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


@operation
async def remove_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemovePermission.html"""
    with ctx.store.transaction():
        bus = find_bus(ctx, request.get("EventBusName"))
        statements = (bus.get("Policy") or {"Statement": []})["Statement"]
        kept = [each for each in statements if each.get("Sid") != request.get("StatementId")]
        if len(kept) == len(statements) and not request.get("RemoveAllPermissions"):
            raise AwsError("ResourceNotFoundException", "Statement with the provided id does not exist.")
        whole = bool(kept) and not request.get("RemoveAllPermissions")
        policy = {"Version": "2012-10-17", "Statement": kept} if whole else None
        BUSES.put(ctx, {**bus, "Policy": policy})
    return {}


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the bus that this ARN names."""
    bus = BUSES.get(ctx, bus_name(arn))
    return bus.get("Policy") if bus else None
