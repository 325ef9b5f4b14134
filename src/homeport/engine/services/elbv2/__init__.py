"""Elastic Load Balancing: application load balancers over a real Envoy."""

from __future__ import annotations

import logging
import shutil

from homeport.engine.services.elbv2 import (
    access_logs,
    attributes,
    balancing,
    draining,
    limits,
    listeners,
    load_balancers,
    metrics,
    rules,
    tags,
    target_groups,
    targets,
)
from homeport.engine.services.engine import Engine
from homeport.engine.services.service import Service

log = logging.getLogger(__name__)


async def _start(engine: Engine) -> None:
    """Adopt Envoy before anybody asks for the health of targets."""
    try:
        await balancing.settle(engine)
    except Exception:
        log.exception("the load balancers do not work yet; the reconciler goes on trying")


async def _stop(engine: Engine) -> None:
    """Let go of Envoy: it goes on."""
    await engine.proxy.close()


async def _reset(engine: Engine) -> None:
    await engine.proxy.terminate()
    shutil.rmtree(engine.proxy.folder, ignore_errors=True)


SERVICE = Service(
    "elbv2",
    modules=(load_balancers, listeners, rules, target_groups, targets, attributes, tags, limits),
    reconcilers=(
        balancing.PROXY,
        balancing.INSIDE,
        draining.RECONCILER,
        metrics.RECONCILER,
        access_logs.RECONCILER,
    ),
    start=_start,
    stop=_stop,
    reset=_reset,
)
