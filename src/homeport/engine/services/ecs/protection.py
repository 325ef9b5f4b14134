"""The agent's endpoint at which a task protects itself from scale-in: `$ECS_AGENT_URI/task-protection/v1/state`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body, definition_of
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request

PATH = "task-protection/v1/state"


async def answer(ctx: Context, row: Body, request: Request) -> tuple[int, Body]:
    """Status and body of a GET or PUT, carried out as the task's own role."""
    arn, role = row["task"]["taskArn"], definition_of(ctx, row).get("taskRoleArn")
    if role is None:
        message = "Invalid Request: no task IAM role credentials available for task"
        return 403, _error(arn, "AccessDeniedException", message)
    ecs = ctx.engine.context("ecs-tasks", ctx.scope).client("ecs", role=role)
    named = {"cluster": row["clusterName"], "tasks": [arn]}
    try:
        match request.method:
            case "GET":
                found = await ecs.get_task_protection(**named)
            case "PUT":
                found = await ecs.update_task_protection(**named, **_wanted(await request.body()))
            case _:
                return 405, _error(arn, "InvalidParameterException", "The method must be GET or PUT.")
    except AwsError as error:
        return error.status or 400, {"requestID": ctx.request_id, **_error(arn, error.code, error.message)}
    if found.get("failures"):
        failure = found["failures"][0]
        shown = {"Arn": failure["arn"], "Detail": failure.get("detail"), "Reason": failure["reason"]}
        return 200, {"failure": shown}
    return 200, {"protection": _shown(found["protectedTasks"][0])}


def _wanted(body: bytes) -> Body:
    """Raises InvalidParameterException for what is no request."""
    try:
        given: Any = json.loads(body)
        wanted: Body = {"protectionEnabled": given["ProtectionEnabled"]}
        if given.get("ExpiresInMinutes") is not None:
            wanted["expiresInMinutes"] = int(given["ExpiresInMinutes"])
    except (ValueError, TypeError):
        raise AwsError(
            "InvalidParameterException", "Failed to decode request: it is not valid JSON."
        ) from None
    except KeyError:
        raise AwsError(
            "InvalidParameterException", "Invalid request: does not contain 'ProtectionEnabled' field"
        ) from None
    if not isinstance(wanted["protectionEnabled"], bool):
        raise AwsError("InvalidParameterException", "Invalid request: 'ProtectionEnabled' is not a boolean")
    return wanted


def _shown(task: Body) -> Body:
    until = task.get("expirationDate")
    return {
        "ExpirationDate": _time(until) if until else None,
        "ProtectionEnabled": task["protectionEnabled"],
        "TaskArn": task["taskArn"],
    }


def _time(moment: Any) -> str:
    moment = datetime.fromtimestamp(moment, UTC) if isinstance(moment, int | float) else moment
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _error(arn: str, code: str, message: str) -> Body:
    return {"error": {"Arn": arn, "Code": code, "Message": message}}
