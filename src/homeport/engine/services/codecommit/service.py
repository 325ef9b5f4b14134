"""CodeCommit as a service of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codecommit import tables
from homeport.engine.services.codecommit.mount import PREFIX, mount
from homeport.engine.services.codecommit.operations import (
    approvals,
    branches,
    comments,
    commits,
    files,
    pull_requests,
    repositories,
    rule_templates,
)
from homeport.engine.services.codecommit.pushes import RECONCILER
from homeport.engine.services.codecommit.triggers import TRIGGER
from homeport.engine.services.service import Service

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def _start(engine: Engine) -> None:
    tables.sweep(engine)


async def _reset(engine: Engine) -> None:
    engine.clear_folder("codecommit")


SERVICE = Service(
    "codecommit",
    modules=(repositories, branches, commits, files, pull_requests, approvals, rule_templates, comments),
    executions=(TRIGGER,),
    reconcilers=(RECONCILER,),
    mounts={PREFIX: mount},
    start=_start,
    reset=_reset,
)
