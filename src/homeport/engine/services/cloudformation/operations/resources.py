"""A stack's resources and events, and the signals that resources send."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.operations.drift import drift_of_resource
from homeport.engine.services.cloudformation.tables import (
    EVENTS,
    RESOURCES,
    SIGNALS,
    Body,
    find_stack,
    get_stack,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100
_SHOWN = (
    "LogicalResourceId",
    "PhysicalResourceId",
    "ResourceType",
    "ResourceStatus",
    "ResourceStatusReason",
)


@operation
async def describe_stack_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html"""
    stack = get_stack(ctx, request["StackName"])
    events = EVENTS.list(ctx, stack["StackId"])[::-1]
    chunk, token = page(
        events, _PAGE, request.get("NextToken"), lambda event: -event["number"], "ValidationError"
    )
    shown = [{key: value for key, value in event.items() if key != "number"} for event in chunk]
    return {"StackEvents": shown, "NextToken": token}


@operation
async def describe_stack_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResource.html"""
    stack = get_stack(ctx, request["StackName"])
    id = request["LogicalResourceId"]
    row = RESOURCES.get(ctx, stack["StackId"], id)
    if row is None:
        raise invalid(f"Resource {id} does not exist for stack {stack['StackName']}")
    detail = {
        **_shown(row),
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "LastUpdatedTimestamp": row["Timestamp"],
        "Metadata": json.dumps(row.get("Metadata") or {}),
        "DriftInformation": drift_of_resource(row),
    }
    return {"StackResourceDetail": detail}


@operation
async def describe_stack_resources(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html"""
    stack = _meant(ctx, request)
    rows = RESOURCES.list(ctx, stack["StackId"])
    if "LogicalResourceId" in request:
        rows = [row for row in rows if row["LogicalResourceId"] == request["LogicalResourceId"]]
    resources = [
        {
            **_shown(row),
            "StackId": stack["StackId"],
            "StackName": stack["StackName"],
            "Timestamp": row["Timestamp"],
            "DriftInformation": drift_of_resource(row),
        }
        for row in rows[:_PAGE]
    ]
    return {"StackResources": resources}


@operation
async def list_stack_resources(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html"""
    stack = get_stack(ctx, request["StackName"])
    rows = RESOURCES.list(ctx, stack["StackId"])
    chunk, token = page(
        rows, _PAGE, request.get("NextToken"), lambda row: row["LogicalResourceId"], "ValidationError"
    )
    summaries = [
        {
            **_shown(row),
            "LastUpdatedTimestamp": row["Timestamp"],
            "DriftInformation": drift_of_resource(row),
        }
        for row in chunk
    ]
    return {"StackResourceSummaries": summaries, "NextToken": token}


@operation
async def signal_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_SignalResource.html"""
    stack = get_stack(ctx, request["StackName"])
    if RESOURCES.get(ctx, stack["StackId"], request["LogicalResourceId"]) is None:
        raise invalid(
            f"Resource {request['LogicalResourceId']} does not exist for stack {stack['StackName']}"
        )
    signal = {name: request[name] for name in ("LogicalResourceId", "UniqueId", "Status")}
    with ctx.store.transaction():
        SIGNALS.put(ctx, {**signal, "StackId": stack["StackId"]})
        ctx.notify(f"cloudformation.wake:{stack['StackId']}")
    return {}


def _meant(ctx: Context, request: dict[str, Any]) -> Body:
    if ("StackName" in request) == ("PhysicalResourceId" in request):
        raise invalid("Either stackName or physicalResourceId must be provided, not both")
    if "StackName" in request:
        return get_stack(ctx, request["StackName"])
    physical = request["PhysicalResourceId"]
    rows = RESOURCES.list(ctx, PhysicalResourceId=physical)
    stack = find_stack(ctx, rows[0]["StackId"]) if rows else None
    if stack is None:
        raise AwsError("ValidationError", f"Stack for {physical} does not exist")
    return stack


def _shown(row: Body) -> Body:
    return {name: row[name] for name in _SHOWN if row.get(name)}
