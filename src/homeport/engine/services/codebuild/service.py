"""CodeBuild as a service of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codebuild import mirror
from homeport.engine.services.codebuild.batches import BATCH
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.operations import (
    build_batches,
    builds,
    projects,
    report_groups,
    test_reports,
)
from homeport.engine.services.codebuild.tables import BUILDS
from homeport.engine.services.codebuild.warming import Warming
from homeport.engine.services.service import Service

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def _reset(engine: Engine) -> None:
    if BUILDS.everywhere(engine.store):
        for found in await engine.docker.containers(service="codebuild"):
            await engine.docker.remove(found["Id"])
    engine.clear_folder("codebuild")


async def _stop(engine: Engine) -> None:
    await engine.part(Warming).stop()


SERVICE = Service(
    "codebuild",
    modules=(build_batches, builds, projects, report_groups, test_reports),
    executions=(BUILD, BATCH),
    mounts=mirror.mounts(),
    stop=_stop,
    reset=_reset,
)
