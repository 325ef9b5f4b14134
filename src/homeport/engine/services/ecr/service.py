"""ECR: the API, the registry under `/v2/`, and the work that goes on behind them."""

from __future__ import annotations

from homeport.engine.services.ecr.collector import COLLECTOR
from homeport.engine.services.ecr.expiration import LIFECYCLE
from homeport.engine.services.ecr.operations import (
    authorization,
    images,
    layers,
    lifecycle,
    policies,
    pull_through,
    registry,
    replication,
    repositories,
    scans,
    tags,
    templates,
)
from homeport.engine.services.ecr.policies import repository_policy
from homeport.engine.services.ecr.pull_through import IMPORT
from homeport.engine.services.ecr.registry.app import registry_app
from homeport.engine.services.ecr.replication import REPLICATE
from homeport.engine.services.ecr.scans import RESCAN, SBOMS, SCAN
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.engine import Engine
from homeport.engine.services.service import Service


async def _reset(engine: Engine) -> None:
    layer_files(engine).clear()
    engine.clear_folder(SBOMS)


SERVICE = Service(
    "ecr",
    modules=(
        authorization,
        images,
        layers,
        lifecycle,
        policies,
        pull_through,
        registry,
        replication,
        repositories,
        scans,
        tags,
        templates,
    ),
    executions=(IMPORT, REPLICATE, SCAN),
    reconcilers=(LIFECYCLE, COLLECTOR, RESCAN),
    resource_policy=repository_policy,
    mounts={"v2": registry_app},
    reset=_reset,
)
