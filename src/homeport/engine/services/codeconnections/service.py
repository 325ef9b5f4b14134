"""CodeConnections as a service of the engine, under its new and its old name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.codeconnections import webhooks
from homeport.engine.services.codeconnections.deliveries import DELIVERY
from homeport.engine.services.codeconnections.operations import connections
from homeport.engine.services.codeconnections.watching import RECONCILER
from homeport.engine.services.service import Service

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def _reset(engine: Engine) -> None:
    engine.clear_folder("codeconnections")


SERVICE = Service(
    "codeconnections",
    modules=(connections,),
    executions=(DELIVERY,),
    reconcilers=(RECONCILER,),
    mounts={webhooks.PREFIX: webhooks.mount},
    reset=_reset,
)
STAR = Service("codestar-connections", modules=(connections,))
