"""CloudWatch Logs: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.engine import Engine
from homeport.engine.services.logs import (
    events,
    files,
    groups,
    live_tail,
    metric_filters,
    resource_policies,
    retention,
    streams,
    subscription_filters,
)
from homeport.engine.services.service import Service


async def _start(engine: Engine) -> None:
    files.sweep(engine)


async def _reset(engine: Engine) -> None:
    engine.clear_folder("logs")


SERVICE = Service(
    "logs",
    modules=(groups, streams, events, live_tail, metric_filters, resource_policies, subscription_filters),
    executions=(subscription_filters.DELIVERY,),
    reconcilers=(retention.RETENTION,),
    start=_start,
    reset=_reset,
)
