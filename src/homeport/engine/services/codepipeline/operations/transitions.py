"""Stage transitions: whether executions may enter a stage.

https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline import scheduler, tables
from homeport.engine.services.codepipeline.declaration import stage_named
from homeport.engine.services.codepipeline.tables import STAGES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation


@operation
async def disable_stage_transition(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Keep executions out of the stage (Inbound), or of the one after it (Outbound)."""
    _set(ctx, request, {"enabled": False, "disabledReason": request["reason"]})
    return {}


@operation
async def enable_stage_transition(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Let executions in again."""
    _set(ctx, request, {"enabled": True})
    return {}


def _set(ctx: Context, request: dict[str, Any], state: Row) -> None:
    name = request["pipelineName"]
    pipeline = tables.pipeline(ctx, name)
    declaration = tables.declaration(ctx, name, pipeline["version"])
    stage_name = stage_named(declaration, request["stageName"])["name"]
    if request["transitionType"] == "Outbound":
        names = [stage["name"] for stage in declaration["stages"]]
        following = names[names.index(stage_name) + 1 :]
        if not following:
            return
        stage_name = following[0]
    with ctx.store.transaction():
        stage = tables.stage(ctx, name, stage_name)
        changed = {"lastChangedBy": ctx.principal.arn, "lastChangedAt": ctx.now()}
        STAGES.put(ctx, stage | {"transition": state | changed})
        scheduler.advance(ctx, name)
