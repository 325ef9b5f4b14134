"""CodePipeline as a service of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.codeconnections.changes import Listeners
from homeport.engine.services.codepipeline import polling, scheduler, webhook_receiver
from homeport.engine.services.codepipeline.action_execution import ACTION, SCHEDULER
from homeport.engine.services.codepipeline.conditions import RULE
from homeport.engine.services.codepipeline.git_sources import start_for
from homeport.engine.services.codepipeline.operations import (
    approvals,
    executions,
    history,
    jobs,
    pipelines,
    stages,
    state,
    tags,
    transitions,
    types,
    webhooks,
)
from homeport.engine.services.codepipeline.running import FOLDER
from homeport.engine.services.codepipeline.tables import EXECUTIONS, PIPELINES
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.service import Service
from homeport.engine.store.database import Scope


def _under_way(engine: Any) -> Iterable[tuple[Scope, str]]:
    rows = EXECUTIONS.everywhere(engine.store, underWay=1)
    return {(scope, row["pipelineName"]) for scope, row in rows}


async def _advance(ctx: Context, pipeline_name: str) -> None:
    if PIPELINES.get(ctx, pipeline_name):
        scheduler.advance(ctx, pipeline_name)


async def _start(engine: Engine) -> None:
    engine.clear_folder(FOLDER)
    engine.part(Listeners).add("codepipeline", start_for)


SERVICE = Service(
    "codepipeline",
    modules=(
        approvals,
        executions,
        history,
        jobs,
        pipelines,
        stages,
        state,
        tags,
        transitions,
        types,
        webhooks,
    ),
    executions=(ACTION, RULE),
    reconcilers=(Reconciler(SCHEDULER, _under_way, _advance), polling.RECONCILER),
    mounts={webhook_receiver.PREFIX: webhook_receiver.mount},
    start=_start,
)
