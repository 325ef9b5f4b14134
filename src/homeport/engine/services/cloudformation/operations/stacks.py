"""Stacks: made, updated, deleted, described.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.cloudformation.blue_green.planning import plan
from homeport.engine.services.cloudformation.changes import compare
from homeport.engine.services.cloudformation.drift.detection import take_as_it_is
from homeport.engine.services.cloudformation.errors import invalid
from homeport.engine.services.cloudformation.execution.kind import OPERATION
from homeport.engine.services.cloudformation.execution.outputs import check_exports_free
from homeport.engine.services.cloudformation.execution.work import dump_principal
from homeport.engine.services.cloudformation.operations.drift import drift_of_stack
from homeport.engine.services.cloudformation.parameters import Parameter
from homeport.engine.services.cloudformation.planning import Plan
from homeport.engine.services.cloudformation.policies import read_policy
from homeport.engine.services.cloudformation.tables import (
    CHANGE_SETS,
    STACKS,
    Body,
    find_stack,
    get_stack,
    set_status,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_ROLE = {"RoleARN": "cloudformation.amazonaws.com"}
_PAGE = 100
_PLANNED = (
    "source",
    "template",
    "parameters",
    "zones",
    "Description",
    "Capabilities",
    "NotificationARNs",
    "Tags",
    "Outputs",
)
_SHOWN = (
    "Capabilities",
    "ChangeSetId",
    "CreationTime",
    "DeletionTime",
    "Description",
    "DisableRollback",
    "EnableTerminationProtection",
    "LastUpdatedTime",
    "NotificationARNs",
    "Outputs",
    "ParentId",
    "RoleARN",
    "RootId",
    "StackId",
    "StackName",
    "StackStatus",
    "StackStatusReason",
    "Tags",
    "TimeoutInMinutes",
)
_UPDATABLE = (
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
)


@operation(pass_role=_ROLE)
async def create_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    name = request["StackName"]
    token = request.get("ClientRequestToken", "")
    existing = find_stack(ctx, name)
    if existing and token and existing["operation"].get("token") == token:
        return {"StackId": existing["StackId"]}
    if existing:
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
    if "OnFailure" in request and "DisableRollback" in request:
        raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
    stack = new_stack(ctx, name)
    made = await plan(ctx, request, stack, expand=True)
    if find_stack(ctx, name):
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
    stack.update(made.members)
    _set_options(stack, request)
    on_failure = request.get("OnFailure")
    if request.get("DisableRollback"):
        on_failure = "DO_NOTHING"
    with ctx.store.transaction():
        start(ctx, stack, "create", token, on_failure=on_failure)
        set_status(ctx, stack, "CREATE_IN_PROGRESS", "User Initiated")
    return {"StackId": stack["StackId"]}


@operation(pass_role=_ROLE)
async def update_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html"""
    stack = get_stack(ctx, request["StackName"])
    check_updatable(stack)
    made = await plan(ctx, request, stack, expand=True)
    stack = get_stack(ctx, stack["StackId"])
    check_updatable(stack)
    if made.refused:
        raise invalid(made.refused)
    if not differs(stack, made):
        raise invalid("No updates are to be performed.")
    begin_update(ctx, stack, made, request)
    return {"StackId": stack["StackId"]}


@operation(pass_role=_ROLE)
async def delete_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    stack = find_stack(ctx, request["StackName"])
    if stack is None or not stack["live"] or stack["StackStatus"] == "DELETE_IN_PROGRESS":
        return {}
    if stack.get("EnableTerminationProtection"):
        raise invalid(
            f"Stack [{stack['StackName']}] cannot be deleted while TerminationProtection is enabled"
        )
    retained = list(request.get("RetainResources", ()))
    if retained and stack["StackStatus"] != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack['StackId']}]. When you delete a stack, specify which resources "
            "to retain only when the stack is in the DELETE_FAILED state."
        )
    check_exports_free(ctx, stack["StackId"])
    earlier = stack["operation"].get("id")
    with ctx.store.transaction():
        running = bool(earlier) and ctx.engine.runner.running(OPERATION, ctx.scope, earlier)
        if running:
            ctx.request_stop(OPERATION, earlier, "the stack is deleted")
        if "RoleARN" in request:
            stack["RoleARN"] = request["RoleARN"]
        for change_set in CHANGE_SETS.list(ctx, StackId=stack["StackId"]):
            CHANGE_SETS.delete(ctx, change_set["ChangeSetId"])
        token = request.get("ClientRequestToken", "")
        start(ctx, stack, "delete", token, retained=retained, after=earlier if running else None)
        set_status(ctx, stack, "DELETE_IN_PROGRESS", "User Initiated")
    return {}


@operation
async def cancel_update_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html"""
    stack = get_stack(ctx, request["StackName"])
    if stack["StackStatus"] != "UPDATE_IN_PROGRESS":
        raise invalid("CancelUpdateStack cannot be called from current stack status")
    ctx.request_stop(OPERATION, stack["operation"]["id"], "cancelled")
    return {}


@operation(pass_role=_ROLE)
async def continue_update_rollback(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html"""
    stack = get_stack(ctx, request["StackName"])
    if stack["StackStatus"] != "UPDATE_ROLLBACK_FAILED":
        raise invalid(
            f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not continue to roll back."
        )
    _start_rollback(ctx, stack, request, "rollback", "UPDATE_ROLLBACK_IN_PROGRESS")
    return {}


@operation(pass_role=_ROLE)
async def rollback_stack(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html"""
    stack = get_stack(ctx, request["StackName"])
    if stack["StackStatus"] == "CREATE_FAILED":
        _start_rollback(ctx, stack, request, "rollback-creation", "ROLLBACK_IN_PROGRESS")
    elif stack["StackStatus"] == "UPDATE_FAILED":
        _start_rollback(ctx, stack, request, "rollback", "UPDATE_ROLLBACK_IN_PROGRESS")
    else:
        raise invalid(
            f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be rolled back."
        )
    return {"StackId": stack["StackId"]}


@operation
async def describe_stacks(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html"""
    if "StackName" in request:
        return {"Stacks": [_described(get_stack(ctx, request["StackName"]))]}
    stacks = sorted(STACKS.list(ctx, live=1), key=_newest_first)
    chunk, token = page(stacks, _PAGE, request.get("NextToken"), _newest_first, "ValidationError")
    return {"Stacks": [_described(stack) for stack in chunk], "NextToken": token}


@operation
async def list_stacks(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html"""
    wanted = request.get("StackStatusFilter")
    stacks = [stack for stack in STACKS.list(ctx) if not wanted or stack["StackStatus"] in wanted]
    stacks.sort(key=_newest_first)
    chunk, token = page(stacks, _PAGE, request.get("NextToken"), _newest_first, "ValidationError")
    return {"StackSummaries": [_summary(stack) for stack in chunk], "NextToken": token}


def new_stack(ctx: Context, name: str) -> Body:
    """The row of a stack that is to be."""
    return {
        "StackId": ctx.arn(f"stack/{name}/{uuid.uuid4()}"),
        "StackName": name,
        "live": 1,
        "CreationTime": ctx.now(),
        "operation": {},
        "parameters": [],
        "Tags": [],
        "DisableRollback": False,
        "EnableTerminationProtection": False,
        "Outputs": [],
    }


def start(ctx: Context, stack: Body, action: str, token: str, **input: Any) -> None:
    """Start an operation on a stack in the running transaction; the caller writes the row."""
    id = uuid.uuid4().hex
    stack["operation"] = {"id": id, "action": action, "token": token}
    ctx.start(
        OPERATION,
        id,
        {
            "stack": stack["StackId"],
            "action": action,
            "principal": dump_principal(ctx.principal),
            "role": stack.get("RoleARN"),
            "host": stack.setdefault("host", _host(ctx)),
            **input,
        },
    )


def _host(ctx: Context) -> str:
    """Where the engine is reached, as the caller reached it."""
    named = ctx.call.headers.get("host") if ctx.call else None
    return named or f"{ctx.engine.config.host}:{ctx.engine.config.port}"


def begin_create(ctx: Context, stack: Body, made: Body, request: dict[str, Any]) -> None:
    """Create the stack that a change set was made for."""
    on_failure = request.get("OnStackFailure") or ("DO_NOTHING" if request.get("DisableRollback") else None)
    with ctx.store.transaction():
        stack.update(made)
        _set_options(stack, request)
        stack["CreationTime"] = stack.get("CreationTime") or ctx.now()
        start(ctx, stack, "create", request.get("ClientRequestToken", ""), on_failure=on_failure)
        set_status(ctx, stack, "CREATE_IN_PROGRESS", "User Initiated")


def begin_update(ctx: Context, stack: Body, made: Plan | Body, request: dict[str, Any]) -> None:
    """Start the update of a stack to what was planned."""
    members = made.members if isinstance(made, Plan) else made
    with ctx.store.transaction():
        if request.get("DeploymentMode") == "REVERT_DRIFT":
            take_as_it_is(ctx, stack)
        stack["before"] = {name: stack[name] for name in _PLANNED if name in stack}
        stack.update(members)
        _set_options(stack, request)
        stack["policy_during_update"] = read_policy(request, "StackPolicyDuringUpdate")
        stack["LastUpdatedTime"] = ctx.now()
        on_failure = "DO_NOTHING" if request.get("DisableRollback") else None
        start(ctx, stack, "update", request.get("ClientRequestToken", ""), on_failure=on_failure)
        set_status(ctx, stack, "UPDATE_IN_PROGRESS", "User Initiated")


def check_updatable(stack: Body) -> None:
    """Raise ValidationError unless the stack may be updated now."""
    if stack["StackStatus"] not in _UPDATABLE:
        raise invalid(f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated.")


def differs(stack: Body, made: Plan) -> bool:
    """Whether a plan asks for anything that the stack is not."""
    old = {item["name"]: Parameter(**item).reference for item in stack["parameters"]}
    new = {name: parameter.reference for name, parameter in made.parameters.items()}
    body, wanted = stack["template"], made.template.body
    ignored = ("Description", "Metadata", "AWSTemplateFormatVersion", "Rules")
    return (
        bool(compare("", old, new))
        or {k: v for k, v in body.items() if k not in ignored}
        != {k: v for k, v in wanted.items() if k not in ignored}
        or stack.get("Tags", []) != made.members["Tags"]
    )


def _set_options(stack: Body, request: dict[str, Any]) -> None:
    for name in ("RoleARN", "TimeoutInMinutes", "DisableRollback", "EnableTerminationProtection"):
        if name in request:
            stack[name] = request[name]
    if "RollbackConfiguration" in request:  # triggers that are not named again stay
        stack["RollbackConfiguration"] = {
            **stack.get("RollbackConfiguration", {}),
            **request["RollbackConfiguration"],
        }
    if policy := read_policy(request, "StackPolicy"):
        stack["policy"] = policy


def _start_rollback(ctx: Context, stack: Body, request: dict[str, Any], action: str, status: str) -> None:
    with ctx.store.transaction():
        if "RoleARN" in request:
            stack["RoleARN"] = request["RoleARN"]
        skipped = list(request.get("ResourcesToSkip", ()))
        start(ctx, stack, action, request.get("ClientRequestToken", ""), skipped=skipped)
        set_status(ctx, stack, status, "User Initiated")


def _newest_first(stack: Body) -> tuple[float, str]:
    return (-stack["CreationTime"], stack["StackId"])


def _described(stack: Body) -> Body:
    body = {name: stack[name] for name in _SHOWN if stack.get(name) is not None and stack.get(name) != ""}
    body["Parameters"] = [Parameter(**item).described() for item in stack["parameters"]]
    body["DriftInformation"] = drift_of_stack(stack)
    body["RollbackConfiguration"] = stack.get("RollbackConfiguration", {})
    return body


def _summary(stack: Body) -> Body:
    body: Body = {
        name: stack[name]
        for name in ("StackId", "StackName", "CreationTime", "LastUpdatedTime", "DeletionTime", "StackStatus")
        if name in stack
    }
    if stack.get("StackStatusReason"):
        body["StackStatusReason"] = stack["StackStatusReason"]
    if stack.get("Description"):
        body["TemplateDescription"] = stack["Description"]
    if stack.get("ParentId"):
        body["ParentId"] = stack["ParentId"]
    body["DriftInformation"] = drift_of_stack(stack)
    return body
