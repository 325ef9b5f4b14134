"""CloudTrail as a service of the engine: it watches every call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homeport.engine.services.cloudtrail import lookup
from homeport.engine.services.cloudtrail.trail import Trail
from homeport.engine.services.service import Service

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


async def _start(engine: Engine) -> None:
    trail = engine.part(Trail)
    if trail.observe not in engine.observers:
        engine.observers.append(trail.observe)


async def _stop(engine: Engine) -> None:
    engine.part(Trail).close()


async def _reset(engine: Engine) -> None:
    engine.part(Trail).clear()


SERVICE = Service("cloudtrail", modules=(lookup,), start=_start, stop=_stop, reset=_reset)
