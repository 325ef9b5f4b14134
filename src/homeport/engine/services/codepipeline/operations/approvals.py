"""Answers to manual approvals.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.actions.approval import topic
from homeport.engine.services.codepipeline.declaration import action_named, stage_named
from homeport.engine.services.codepipeline.tables import ACTIONS
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_approval_result(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Approve or reject; the token is the one that GetPipelineState shows."""
    name = request["pipelineName"]
    pipeline = tables.pipeline(ctx, name)
    declaration = tables.declaration(ctx, name, pipeline["version"])
    stage = stage_named(declaration, request["stageName"])
    action = action_named(stage, request["actionName"])
    with ctx.store.transaction():
        sequence = tables.stage(ctx, name, stage["name"])["actions"].get(action["name"])
        row = _asked(ctx, name, sequence, request["token"])
        if row.get("approval"):
            raise AwsError(
                "ApprovalAlreadyCompletedException",
                f"The approval action '{action['name']}' has already been {row['approval']['status'].lower()}",
            )
        now = ctx.now()
        row["approval"] = {
            "status": request["result"]["status"],
            "summary": request["result"]["summary"],
            "by": ctx.principal.arn,
            "at": now,
        }
        row["lastUpdateTime"] = now
        ACTIONS.put(ctx, row)
        ctx.notify(topic(row["actionExecutionId"]))
    return {"approvedAt": now}


def _asked(ctx: Context, name: str, sequence: int | None, token: str) -> tables.Row:
    """The newest execution of the action, or in PARALLEL mode any, that has this token."""
    newest = ACTIONS.get(ctx, name, sequence) if sequence else None
    waits = newest and (newest["status"] == "InProgress" or newest.get("approval"))
    if newest and waits and newest.get("token") == token:
        return newest
    for execution in tables.EXECUTIONS.list(ctx, name, underWay=1):
        for row in ACTIONS.list(ctx, name, pipelineExecutionId=execution["pipelineExecutionId"]):
            if row.get("token") == token and row["status"] == "InProgress":
                return row
    raise AwsError(
        "InvalidApprovalTokenException",
        "The approval token is not that of an approval that is waited for; GetPipelineState shows it",
    )
