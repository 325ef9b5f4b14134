"""Lifecycle event hooks: a Lambda function is invoked, and answers by PutLifecycleEventHookExecutionStatus.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-ecs"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.codedeploy.deploying import Deploying
from homeport.engine.services.codedeploy.failure import DeploymentFailed

Body = dict[str, Any]

TIMEOUT_SECONDS = 3600.0


async def carry_out(deploying: Deploying, event: str, function: str | None) -> None:
    """Invoke the event's function, if it has one, and wait for its answer. Raises DeploymentFailed."""
    if function is None:
        return
    id = deploying.x.token(f"hook {event}")
    deadline = deploying.ctx.now() + TIMEOUT_SECONDS

    async def invoke() -> float:
        payload = json.dumps({"DeploymentId": deploying.id, "LifecycleEventHookExecutionId": id})
        deploying.change(lambda row: row["hooks"].setdefault(event, {"id": id, "status": None}))
        await deploying.call(
            "lambda", "invoke", FunctionName=function, InvocationType="Event", Payload=payload.encode()
        )
        return deadline

    until = await deploying.x.step(f"{event} invokes", invoke)
    status = await deploying.x.step(f"{event} answered", lambda: _answer(deploying, event, until))
    if status != "Succeeded":
        raise DeploymentFailed(
            "HOOK_EXECUTION_FAILURE",
            "The deployment failed because one or more of the lifecycle event validation functions failed.",
        )


async def _answer(deploying: Deploying, event: str, deadline: float) -> str:
    async def answered() -> str | None:
        status: str | None = deploying.row["hooks"][event]["status"]
        return status

    try:
        return await deploying.until(answered, deadline=deadline)
    except TimeoutError:
        raise DeploymentFailed(
            "TIMEOUT",
            "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within "
            "one hour after a deployment hook is invoked.",
        ) from None
