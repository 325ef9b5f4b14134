"""CodeBuild as a service of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codebuild import badges, commit_statuses, mirror, webhooks
from homeport.engine.services.codebuild.batches import BATCH
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.operations import (
    build_batches,
    builds,
    policies,
    projects,
    report_groups,
    source_credentials,
    test_reports,
)
from homeport.engine.services.codebuild.operations import webhooks as webhook_operations
from homeport.engine.services.codebuild.tables import BUILDS
from homeport.engine.services.codebuild.warming import Warming
from homeport.engine.services.service import Service

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def _stop(engine: Engine) -> None:
    await engine.part(Warming).stop()


async def _reset(engine: Engine) -> None:
    if BUILDS.everywhere(engine.store):
        await engine.docker.remove_all(service="codebuild")
        await engine.docker.remove_volumes(engine.docker.name("cache"))
    engine.clear_folder("codebuild")


SERVICE = Service(
    "codebuild",
    modules=(
        build_batches,
        builds,
        policies,
        projects,
        report_groups,
        source_credentials,
        test_reports,
        webhook_operations,
    ),
    executions=(BUILD, BATCH),
    reconcilers=(commit_statuses.RECONCILER,),
    mounts={**mirror.mounts(), webhooks.PREFIX: webhooks.mount, badges.PREFIX: badges.mount},
    stop=_stop,
    reset=_reset,
    resource_policy=policies.resource_policy,
)
