"""Drift of stacks and of their resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.cloudformation.drift.detection import detect
from homeport.engine.services.cloudformation.drift.types import READINGS
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.tables import (
    DRIFT_DETECTIONS,
    RESOURCES,
    STACKS,
    Body,
    find_stack,
    get_stack,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

DRIFTED = ("MODIFIED", "DELETED")

_STATUSES = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED")
_PAGE = 100


@operation
async def detect_stack_drift(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """It is over when this answers: to read resources back takes milliseconds here.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html"""
    stack = _checkable(ctx, request["StackName"])
    wanted = set(request.get("LogicalResourceIds") or ())
    rows = [
        row
        for row in RESOURCES.list(ctx, stack["StackId"])
        if not wanted or row["LogicalResourceId"] in wanted
    ]
    if missing := wanted - {row["LogicalResourceId"] for row in rows}:
        raise invalid(f"Resource {min(missing)} does not exist for stack {stack['StackName']}")
    failures = []
    for row in rows:
        try:
            await detect(ctx, stack, row)
        except AwsError as error:
            failures.append(
                f"Failed to detect drift on resource [{row['LogicalResourceId']}]: {error.message}"
            )
    drifted = sum(_status_of(row) in DRIFTED for row in RESOURCES.list(ctx, stack["StackId"]))
    detection: Body = {
        "StackDriftDetectionId": str(uuid.uuid4()),
        "StackId": stack["StackId"],
        "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
        "DetectionStatus": "DETECTION_FAILED" if failures else "DETECTION_COMPLETE",
        "DriftedStackResourceCount": drifted,
        "Timestamp": ctx.now(),
    }
    if failures:
        detection["DetectionStatusReason"] = "\n".join(failures)
    with ctx.store.transaction():
        DRIFT_DETECTIONS.put(ctx, detection)
        if now := find_stack(ctx, stack["StackId"]):
            STACKS.put(ctx, {**now, "DriftInformation": _information("Stack", detection)})
    return {"StackDriftDetectionId": detection["StackDriftDetectionId"]}


@operation
async def detect_stack_resource_drift(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html"""
    stack = _checkable(ctx, request["StackName"])
    row = RESOURCES.get(ctx, stack["StackId"], request["LogicalResourceId"])
    if row is None:
        raise invalid(
            f"Resource {request['LogicalResourceId']} does not exist for stack {stack['StackName']}"
        )
    if row["ResourceType"] not in READINGS:
        raise invalid(f"Drift detection is not supported for {row['ResourceType']}.")
    return {"StackResourceDrift": await detect(ctx, stack, row)}


@operation
async def describe_stack_drift_detection_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackDriftDetectionStatus.html"""
    detection = DRIFT_DETECTIONS.get(ctx, request["StackDriftDetectionId"])
    if detection is None:
        raise invalid(f"Stack drift detection with id {request['StackDriftDetectionId']} does not exist")
    return detection


@operation
async def describe_stack_resource_drifts(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html"""
    stack = get_stack(ctx, request["StackName"])
    wanted = request.get("StackResourceDriftStatusFilters")
    drifts = [
        row["drift"]
        for row in RESOURCES.list(ctx, stack["StackId"])
        if row.get("drift") and (not wanted or _status_of(row) in wanted)
    ]
    chunk, token = page(
        drifts,
        request.get("MaxResults", _PAGE),
        request.get("NextToken"),
        lambda drift: drift["LogicalResourceId"],
        "ValidationError",
    )
    return {"StackResourceDrifts": chunk, "NextToken": token}


def drift_of_stack(stack: Body) -> Body:
    """What DescribeStacks says of a stack's drift."""
    return stack.get("DriftInformation") or {"StackDriftStatus": "NOT_CHECKED"}


def drift_of_resource(row: Body) -> Body:
    """What DescribeStackResource says of a resource's drift."""
    drift = row.get("drift")
    return _information("StackResource", drift) if drift else {"StackResourceDriftStatus": "NOT_CHECKED"}


def _information(noun: str, checked: Body) -> Body:
    status = f"{noun}DriftStatus"
    return {status: checked[status], "LastCheckTimestamp": checked["Timestamp"]}


def _checkable(ctx: Context, name: str) -> Body:
    stack = get_stack(ctx, name)
    if stack["StackStatus"] not in _STATUSES:
        raise invalid(
            f"Drift detection cannot be performed on stack [{stack['StackName']}] in state {stack['StackStatus']}"
        )
    return stack


def _status_of(row: Body) -> str:
    return str(row.get("drift", {}).get("StackResourceDriftStatus", "NOT_CHECKED"))
