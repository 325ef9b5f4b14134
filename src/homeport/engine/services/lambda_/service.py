"""AWS Lambda: what the engine runs of it."""

from __future__ import annotations

import asyncio

from homeport.engine.services.engine import Engine
from homeport.engine.services.lambda_ import downloads, packages, runtime_api
from homeport.engine.services.lambda_.events import EVENT
from homeport.engine.services.lambda_.operations import (
    absent,
    aliases,
    concurrency,
    event_invoke_configs,
    functions,
    invocations,
    permissions,
    tags,
    versions,
)
from homeport.engine.services.lambda_.pool import Pool
from homeport.engine.services.lambda_.preparation import PREPARATION
from homeport.engine.services.lambda_.tables import FUNCTIONS
from homeport.engine.services.service import Service


class _Clearing:
    """Removes what a killed engine left behind, beside the start."""

    def __init__(self, engine: Engine) -> None:
        self.task: asyncio.Task[None] | None = None


async def _start(engine: Engine) -> None:
    if FUNCTIONS.everywhere(engine.store):
        packages.clear_unused(engine)
        task = asyncio.get_running_loop().create_task(engine.part(Pool).clear_left(), name="clear lambda")
        engine.part(_Clearing).task = task


async def _stop(engine: Engine) -> None:
    if task := engine.part(_Clearing).task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await engine.part(Pool).close()


async def _reset(engine: Engine) -> None:
    await _stop(engine)
    engine.clear_folder(packages.FOLDER)


SERVICE = Service(
    "lambda",
    modules=(
        absent,
        aliases,
        concurrency,
        event_invoke_configs,
        functions,
        invocations,
        permissions,
        tags,
        versions,
    ),
    executions=(EVENT, PREPARATION),
    mounts={downloads.PREFIX: downloads.mount, runtime_api.PREFIX: runtime_api.mount},
    start=_start,
    stop=_stop,
    reset=_reset,
    resource_policy=permissions.resource_policy,
)
