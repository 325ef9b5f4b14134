"""The answers of lifecycle event hooks."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.deploying import changed_topic
from homeport.engine.services.codedeploy.tables import DEPLOYMENTS, ENDED, deployment
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def put_lifecycle_event_hook_execution_status(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html"""
    id, status = request["lifecycleEventHookExecutionId"], request.get("status")
    if status not in ("Succeeded", "Failed"):
        raise AwsError(
            "InvalidLifecycleEventHookExecutionStatusException",
            f"The status of a lifecycle event hook must be Succeeded or Failed, not {status}",
        )
    with ctx.store.transaction():
        row = deployment(ctx, request["deploymentId"])
        hook = next((each for each in row["hooks"].values() if each["id"] == id), None)
        if hook is None:
            raise AwsError(
                "InvalidLifecycleEventHookExecutionIdException",
                f"The deployment {row['deploymentId']} has no lifecycle event hook execution {id}",
            )
        if hook["status"] is not None or row["status"] in ENDED:
            raise AwsError(
                "LifecycleEventAlreadyCompletedException",
                "An attempt to return the status of an already completed lifecycle event occurred.",
            )
        hook["status"] = status
        DEPLOYMENTS.put(ctx, row)
        ctx.notify(changed_topic(row["deploymentId"]))
    return {"lifecycleEventHookExecutionId": id}
