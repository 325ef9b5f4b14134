"""Running the lifecycle hooks of a stage: functions are invoked until they say how it went, pauses wait for
ContinueServiceDeployment. Hooks of one stage run in parallel.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
"""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.deployments import lifecycle_hooks
from homeport.engine.services.ecs.deployments.failure import DeploymentFailed, outage, rolled_back_because
from homeport.engine.services.ecs.deployments.shift import Shift
from homeport.engine.services.ecs.tables import SERVICE_DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body, timestamp
from homeport.engine.wire.errors import AwsError

CALL_BACK_SECONDS = 30.0
_SHOWN = ("hookId", "targetType", "targetArn", "status", "expiresAt", "timeoutAction")
_EVENTS = {
    "IN_PROGRESS": "HOOK_IN_PROGRESS",
    "AWAITING_ACTION": "HOOK_AWAITING_ACTION",
    "SUCCEEDED": "HOOK_SUCCEEDED",
    "FAILED": "HOOK_FAILED",
    "TIMED_OUT": "HOOK_TIMED_OUT",
}


def prepare(ctx: Context, configuration: Body, stage: str) -> list[Body]:
    """The executions of a stage's hooks, as the rows have them before they run."""
    return [_prepared(ctx, hook) for hook in lifecycle_hooks.at(configuration, stage)]


def _prepared(ctx: Context, hook: Body) -> Body:
    pause = lifecycle_hooks.kind(hook) == "PAUSE"
    seconds, action = lifecycle_hooks.timeout(hook)
    return {
        "hookId": f"ecs-{'pause' if pause else 'lambda'}-{secrets.token_urlsafe(32)}",
        "targetType": lifecycle_hooks.kind(hook),
        "targetArn": hook.get("hookTargetArn"),
        "status": "AWAITING_ACTION" if pause else "IN_PROGRESS",
        "expiresAt": ctx.now() + seconds,
        "timeoutAction": action,
        "executionId": str(uuid.uuid4()),
        "roleArn": hook.get("roleArn"),
        "details": lifecycle_hooks.details(hook),
        "next": 0.0,
    }


def shown(hook: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHookDetail.html"""
    return {member: hook[member] for member in _SHOWN if hook.get(member) is not None}


def tell(ctx: Context, row: Body, hook: Body) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_hook_state_change_events.html"""
    arn = row["shown"]["serviceDeploymentArn"]
    detail = {
        "eventType": "ERROR" if hook["status"] in ("FAILED", "TIMED_OUT") else "INFO",
        "eventName": _EVENTS[hook["status"]],
        "hookId": hook["hookId"],
        "hookType": hook["targetType"],
        "expiresAt": timestamp(hook["expiresAt"]),
        "lifecycleStage": row["shift"]["stage"],
        "clusterArn": row["shown"]["clusterArn"],
        "serviceArn": row["shown"]["serviceArn"],
        "serviceDeploymentArn": arn,
        "updatedAt": timestamp(ctx.now()),
    }
    ctx.emit("aws.ecs", "ECS Hook State Change", detail, [arn])


def change(ctx: Context, row: Body, id: str, **members: Any) -> None:
    """Write members of a hook into the row of its service deployment; a new status is told. Called in a
    transaction."""
    hook = next(each for each in row["shift"]["hooks"] if each["hookId"] == id)
    told = members.get("status", hook["status"]) != hook["status"]
    hook |= members
    row["shown"]["updatedAt"] = ctx.now()
    SERVICE_DEPLOYMENTS.put(ctx, row)
    if told:
        tell(ctx, row, hook)


async def run(shift: Shift, stage: str, payload: Body) -> None:
    """Run the hooks that the stage was prepared with. Raises DeploymentFailed when one wants a rollback."""
    await shift.x.together(*(_one(shift, stage, hook["hookId"], payload) for hook in shift.state["hooks"]))


async def _one(shift: Shift, stage: str, id: str, payload: Body) -> None:
    hook = _find(shift, id)
    work = _pause(shift, stage, id) if hook["targetType"] == "PAUSE" else _call(shift, stage, id, payload)
    clock = shift.ctx.clock
    try:
        async with asyncio.timeout(clock.real(hook["expiresAt"] - clock.now())):
            await work
    except TimeoutError:
        _set(shift, id, status="TIMED_OUT")
        if hook["timeoutAction"] == "ROLLBACK":
            word = "pause" if hook["targetType"] == "PAUSE" else "lifecycle"
            raise rolled_back_because(f"{stage} {word} hook timed out.") from None


def _find(shift: Shift, id: str) -> Body:
    found: Body = next(each for each in shift.state["hooks"] if each["hookId"] == id)
    return found


def _set(shift: Shift, id: str, **members: Any) -> None:
    with shift.ctx.store.transaction():
        change(shift.ctx, shift.row, id, **members)


async def _pause(shift: Shift, stage: str, id: str) -> None:
    async def answered() -> str | None:
        status: str = _find(shift, id)["status"]
        return None if status == "AWAITING_ACTION" else status

    if await shift.x.until(answered, [shift.topic], every=60.0) == "FAILED":
        raise rolled_back_because(f"{stage} pause hook was rolled back by the user.")


async def _call(shift: Shift, stage: str, id: str, payload: Body) -> None:
    """Invoke a function until it has succeeded."""
    clock = shift.ctx.clock
    while True:
        hook = _find(shift, id)
        if hook["status"] == "SUCCEEDED":
            return
        await clock.sleep(hook["next"] - clock.now())
        try:
            answer = await _invoke(shift, hook, stage, payload)
        except DeploymentFailed:
            _set(shift, id, status="FAILED")
            raise
        if answer["hookStatus"] == "SUCCEEDED":
            _set(shift, id, status="SUCCEEDED")
            return
        delay = answer.get("callBackDelay", CALL_BACK_SECONDS)
        details = {**hook["details"], **(answer.get("hookDetails") or {})}
        _set(shift, id, next=clock.now() + float(delay), details=details)


async def _invoke(shift: Shift, hook: Body, stage: str, payload: Body) -> Body:
    """The function's answer, `hookStatus` SUCCEEDED or IN_PROGRESS. Raises DeploymentFailed."""
    target = hook["targetArn"]
    event = {
        "executionId": hook["executionId"],
        "lifecycleStage": stage,
        "resourceArn": shift.row["shown"]["serviceDeploymentArn"],
        "executionDetails": payload,
    }
    if hook["details"]:
        event["hookDetails"] = hook["details"]
    try:
        client = shift.ctx.client("lambda", role=hook["roleArn"])
        answer = await client.invoke(FunctionName=target, Payload=json.dumps(event).encode())
    except AwsError as error:
        if outage(error) or error.code == "TooManyRequestsException":
            return {"hookStatus": "IN_PROGRESS"}
        if "sts:AssumeRole" in error.message:
            raise _failed(stage, f"ECS was unable to assume role {hook['roleArn']}") from error
        raise _failed(
            stage, f"ECS was unable to invoke hook target {target} due to {error.message}"
        ) from error
    return _parsed(answer.get("Payload") or b"", target, stage)


def _parsed(payload: bytes | str, target: str, stage: str) -> Body:
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    status = answer.get("hookStatus") if isinstance(answer, dict) else None
    unreadable = f"ECS was unable to parse the response from {target} due to "
    if status is None:
        raise _failed(stage, f"{unreadable}HookStatus must not be null")
    if status == "FAILED":
        raise _failed(stage, f"Lifecycle hook target {target} returned FAILED status.")
    if status not in ("SUCCEEDED", "IN_PROGRESS"):
        raise _failed(stage, f"{unreadable}the HookStatus {status}")
    delay = answer.get("callBackDelay", CALL_BACK_SECONDS)
    if not isinstance(delay, int | float) or delay < 0:
        raise _failed(stage, f"{unreadable}the callBackDelay {delay!r}")
    if not isinstance(answer.get("hookDetails") or {}, dict):
        raise _failed(stage, f"{unreadable}the hookDetails, which are not an object")
    return dict(answer)


def _failed(stage: str, problem: str) -> DeploymentFailed:
    return rolled_back_because(f"{stage} lifecycle hook(s) failed. {problem}")
