"""CloudFormation's rows: stacks, their resources and events, change sets, exports, signals.

A stack's body holds what DescribeStacks shows, and what it is made of: `source` (the template as given), `template`
(its body after the transforms), `lines`, `parameters` (a list of Parameter), `operation` (the operation that runs or
ran last), `obsolete` (resources that an update has replaced or dropped and that are to be deleted), `before` (what
the stack was before the update that runs), `green` (what a green deployment needs to know). A resource's body holds its
evaluated properties and its attributes.
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.context import Context
from homeport.engine.store.table import Table

Body = dict[str, Any]

STACKS = Table("cfn_stacks", key=("StackId",), columns=("StackName", "live"))
RESOURCES = Table("cfn_resources", key=("StackId", "LogicalResourceId"), columns=("PhysicalResourceId",))
EVENTS = Table("cfn_events", key=("StackId", "number"))
CHANGE_SETS = Table("cfn_change_sets", key=("ChangeSetId",), columns=("StackId", "ChangeSetName"))
EXPORTS = Table("cfn_exports", key=("Name",), columns=("ExportingStackId",))
IMPORTS = Table("cfn_imports", key=("Name", "StackId"))
DRIFT_DETECTIONS = Table("cfn_drift_detections", key=("StackDriftDetectionId",))
SIGNALS = Table("cfn_signals", key=("StackId", "LogicalResourceId", "UniqueId"))


DELETED_SECONDS = 90 * 24 * 3600.0
"""How long deleted stacks can be looked at.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html"""


def find_stack(ctx: Context, name: str) -> Body | None:
    """The stack of this name or id; a deleted one only by its id."""
    if name.startswith("arn:"):
        return STACKS.get(ctx, name)
    found = STACKS.list(ctx, StackName=name, live=1)
    return found[0] if found else None


def get_stack(ctx: Context, name: str) -> Body:
    """The stack of this name or id. Raises ValidationError."""
    stack = find_stack(ctx, name)
    if stack is None:
        raise invalid(f"Stack with id {name} does not exist")
    return stack


def stack_topic(stack_id: str) -> str:
    """Notified when the stack has another status."""
    return f"cloudformation.stack:{stack_id}"


def set_status(ctx: Context, stack: Body, status: str, reason: str | None = None) -> None:
    """Give the stack a status, and tell of it in its events and on EventBridge; writes the row."""
    stack["StackStatus"] = status
    stack.pop("StackStatusReason", None)
    if reason:
        stack["StackStatusReason"] = reason
    if status == "DELETE_COMPLETE":
        stack["live"] = 0
        stack["DeletionTime"] = ctx.now()
        _forget_old(ctx)
    STACKS.put(ctx, stack)
    add_event(ctx, stack, stack["StackName"], stack["StackId"], "AWS::CloudFormation::Stack", status, reason)
    ctx.emit(
        "aws.cloudformation",
        "CloudFormation Stack Status Change",
        {
            "stack-id": stack["StackId"],
            "status-details": {"status": status, "status-reason": reason or ""},
            "client-request-token": stack["operation"].get("token", ""),
        },
        [stack["StackId"]],
    )
    ctx.notify(stack_topic(stack["StackId"]))


def _forget_old(ctx: Context) -> None:
    """Delete all rows of stacks that were deleted long ago."""
    rows = ctx.store.execute(
        "SELECT StackId FROM cfn_stacks "
        "WHERE account = ? AND region = ? AND live = 0 AND json_extract(body, '$.DeletionTime') < ?",
        *(*ctx.scope, ctx.now() - DELETED_SECONDS),
    )
    for row in rows:
        for table in (STACKS, RESOURCES, EVENTS, CHANGE_SETS, SIGNALS):
            ctx.store.execute(
                f"DELETE FROM {table.name} WHERE account = ? AND region = ? AND StackId = ?",
                *(*ctx.scope, row["StackId"]),
            )


def add_event(
    ctx: Context,
    stack: Body,
    id: str,
    physical_id: str,
    type: str,
    status: str,
    reason: str | None = None,
    properties: str | None = None,
    hook: Body | None = None,
) -> None:
    """Add a line to the stack's events; `hook` are the members of one that tells of a hook."""
    rows = ctx.store.execute(
        "SELECT max(number) AS last FROM cfn_events WHERE account = ? AND region = ? AND StackId = ?",
        *ctx.scope,
        stack["StackId"],
    )
    event: Body = {
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "EventId": str(uuid.uuid4()) if id == stack["StackName"] else f"{id}-{status}-{uuid.uuid4()}",
        "LogicalResourceId": id,
        "PhysicalResourceId": physical_id,
        "ResourceType": type,
        "ResourceStatus": status,
        "Timestamp": ctx.now(),
        "number": (rows[0]["last"] or 0) + 1,
    }
    if reason:
        event["ResourceStatusReason"] = reason
    if properties:
        event["ResourceProperties"] = properties
    if token := stack["operation"].get("token"):
        event["ClientRequestToken"] = token
    event |= hook or {}
    EVENTS.put(ctx, event)
