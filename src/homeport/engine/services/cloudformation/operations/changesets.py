"""Change sets: an update, or a new stack, planned first and carried out later.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from homeport.engine.durable.signals import Listener
from homeport.engine.services.cloudformation.blue_green.planning import plan
from homeport.engine.services.cloudformation.changes import Change
from homeport.engine.services.cloudformation.changesets import changes_of
from homeport.engine.services.cloudformation.drift.detection import detect
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.operations.stacks import (
    begin_create,
    begin_update,
    check_updatable,
    differs,
    new_stack,
)
from homeport.engine.services.cloudformation.parameters import Parameter
from homeport.engine.services.cloudformation.planning import Plan
from homeport.engine.services.cloudformation.tables import (
    CHANGE_SETS,
    RESOURCES,
    Body,
    find_stack,
    get_stack,
    set_status,
    stack_topic,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_OPTIONS = ("RoleARN", "DisableRollback", "OnStackFailure", "RollbackConfiguration", "DeploymentMode")
_SHOWN = (
    "ChangeSetId",
    "ChangeSetName",
    "CreationTime",
    "Description",
    "ExecutionStatus",
    "StackId",
    "StackName",
    "Status",
    "StatusReason",
)
_PAGE = 100
_QUICK_SECONDS = 2.0
"""For so long ExecuteChangeSet waits for the end of what it begins."""


@operation(pass_role={"RoleARN": "cloudformation.amazonaws.com"})
async def create_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"""
    kind = request.get("ChangeSetType", "UPDATE")
    stack = _stack_for(ctx, request["StackName"], kind)
    name = request["ChangeSetName"]
    earlier = CHANGE_SETS.list(ctx, StackId=stack["StackId"], ChangeSetName=name)
    # the aws cli names them by the second, in which a whole deployment may be over here
    if any(each["ExecutionStatus"] != "EXECUTE_COMPLETE" for each in earlier):
        raise AwsError(
            "AlreadyExistsException",
            f"ChangeSet {name} already exists in stack {stack['StackName']}",
        )
    made = await plan(ctx, request, stack, expand=False)
    reverting = request.get("DeploymentMode") == "REVERT_DRIFT"
    if reverting:
        for row in RESOURCES.list(ctx, stack["StackId"]):
            await detect(ctx, stack, row)
    changes = changes_of(ctx, stack, made, drifted=reverting)
    body: Body = {
        "ChangeSetId": ctx.arn(f"changeSet/{name}/{uuid.uuid4()}"),
        "ChangeSetName": name,
        "StackId": stack["StackId"],
        "StackName": stack["StackName"],
        "CreationTime": ctx.now(),
        "kind": kind,
        "changes": [change.described() for change in changes],
        "options": {option: request[option] for option in _OPTIONS if option in request},
        "members": made.members,
        **_status(stack, made, changes),
    }
    if request.get("Description"):
        body["Description"] = request["Description"]
    with ctx.store.transaction():
        if "StackStatus" not in stack:
            stack.update(Tags=made.members["Tags"], Description=made.members["Description"])
            set_status(ctx, stack, "REVIEW_IN_PROGRESS", "User Initiated")
        for each in earlier:
            CHANGE_SETS.delete(ctx, each["ChangeSetId"])
        CHANGE_SETS.put(ctx, body)
    return {"Id": body["ChangeSetId"], "StackId": stack["StackId"]}


@operation
async def describe_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html"""
    body = find_change_set(ctx, request)
    numbered = list(enumerate(body["changes"]))
    chunk, token = page(numbered, _PAGE, request.get("NextToken"), lambda item: item[0], "ValidationError")
    members = body["members"]
    return {
        **{name: body[name] for name in _SHOWN if name in body},
        "Changes": [change for _, change in chunk],
        "Parameters": [Parameter(**item).described() for item in members["parameters"]],
        "Capabilities": members["Capabilities"],
        "NotificationARNs": members["NotificationARNs"],
        "Tags": members["Tags"],
        "RollbackConfiguration": body["options"].get("RollbackConfiguration", {}),
        "IncludeNestedStacks": False,
        "NextToken": token,
    }


@operation
async def list_change_sets(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListChangeSets.html"""
    stack = get_stack(ctx, request["StackName"])
    rows = CHANGE_SETS.list(ctx, StackId=stack["StackId"])
    return {"Summaries": [{name: row[name] for name in _SHOWN if name in row} for row in rows]}


@operation
async def delete_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html"""
    try:
        body = find_change_set(ctx, request)
    except AwsError as error:
        if error.code == "ChangeSetNotFound" and request["ChangeSetName"].startswith("arn:"):
            return {}
        if error.code == "ChangeSetNotFound" and find_stack(ctx, request.get("StackName", "")):
            return {}
        raise
    CHANGE_SETS.delete(ctx, body["ChangeSetId"])
    return {}


@operation
async def execute_change_set(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html"""
    body = find_change_set(ctx, request)
    if body["ExecutionStatus"] != "AVAILABLE":
        raise AwsError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{body['ChangeSetId']}] cannot be executed in its current status of [{body['Status']}]",
        )
    stack = get_stack(ctx, body["StackId"])
    options = {**body["options"], **request}
    stack.update({name: options[name] for name in ("RoleARN", "DisableRollback") if name in options})
    stack["ChangeSetId"] = body["ChangeSetId"]
    with ctx.engine.signals.listen([stack_topic(stack["StackId"])]) as heard:
        with ctx.store.transaction():
            _begin(ctx, stack, body, options)
        await _wait_for_the_quick(ctx, stack["StackId"], heard)
    return {}


def find_change_set(ctx: Context, request: dict[str, Any]) -> Body:
    """The change set that `ChangeSetName` (a name with `StackName`, or an ARN) means. Raises ChangeSetNotFound."""
    name = request["ChangeSetName"]
    if name.startswith("arn:"):
        body = CHANGE_SETS.get(ctx, name)
    else:
        if "StackName" not in request:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        stack = get_stack(ctx, request["StackName"])
        found = CHANGE_SETS.list(ctx, StackId=stack["StackId"], ChangeSetName=name)
        body = found[0] if found else None
    if body is None:
        raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")
    return body


def _begin(ctx: Context, stack: Body, body: Body, options: dict[str, Any]) -> None:
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        begin_create(ctx, stack, body["members"], options)
    else:
        check_updatable(stack)
        begin_update(ctx, stack, body["members"], options)
    for other in CHANGE_SETS.list(ctx, StackId=stack["StackId"]):
        if other["ChangeSetId"] != body["ChangeSetId"]:
            CHANGE_SETS.delete(ctx, other["ChangeSetId"])
    CHANGE_SETS.put(ctx, {**body, "ExecutionStatus": "EXECUTE_COMPLETE"})


async def _wait_for_the_quick(ctx: Context, stack_id: str, heard: Listener) -> None:
    """`aws cloudformation deploy` looks at the stack as soon as it is answered, and then only each half minute."""
    until = time.monotonic() + _QUICK_SECONDS
    while get_stack(ctx, stack_id)["StackStatus"].endswith("_IN_PROGRESS"):
        if (left := until - time.monotonic()) <= 0 or not await heard.wait(left):
            return


def _stack_for(ctx: Context, name: str, kind: str) -> Body:
    stack = find_stack(ctx, name)
    if kind == "IMPORT":
        raise invalid(
            "homeport does not import existing resources into stacks: ChangeSetType IMPORT is refused."
        )
    if kind == "CREATE":
        if stack and stack["live"] and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{kind}]."
            )
        return stack if stack and stack["live"] else new_stack(ctx, name)
    if stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    check_updatable(stack)
    return stack


def _status(stack: Body, made: Plan, changes: list[Change]) -> Body:
    if made.refused:
        return {"Status": "FAILED", "StatusReason": made.refused, "ExecutionStatus": "UNAVAILABLE"}
    unchanged = (
        "template" in stack and not changes and not _outputs_differ(stack, made) and not differs(stack, made)
    )
    if unchanged:
        return {"Status": "FAILED", "StatusReason": _NOTHING, "ExecutionStatus": "UNAVAILABLE"}
    return {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"}


def _outputs_differ(stack: Body, made: Plan) -> bool:
    return stack["template"].get("Outputs") != made.template.body.get("Outputs")
