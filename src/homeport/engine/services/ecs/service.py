"""Elastic Container Service: clusters, task definitions, tasks, services.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/Welcome.html"""

from __future__ import annotations

import functools

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.ecs import (
    controllers,
    logs,
    metadata,
    metrics,
    scheduler,
    sessions,
    tasks,
    watch,
)
from homeport.engine.services.ecs.deployments.lifecycle import SHIFT
from homeport.engine.services.ecs.operations import (
    capacity_providers,
    clusters,
    service_deployments,
    services,
    settings,
    tags,
    task_definitions,
    task_protection,
    task_sets,
)
from homeport.engine.services.ecs.operations import tasks as task_operations
from homeport.engine.services.ecs.tables import TASKS
from homeport.engine.services.ecs.task_rows import SERVICE as SERVICE_RECONCILER
from homeport.engine.services.ecs.task_rows import TASK
from homeport.engine.services.engine import Engine
from homeport.engine.services.service import Service


async def _start(engine: Engine) -> None:
    """Hear Docker's events; at once when there are tasks, else from the first task on."""
    engine.docker.listen(functools.partial(tasks.hear, engine))
    if any(True for _ in tasks.alive(engine)):
        engine.docker.watch()


async def _reset(engine: Engine) -> None:
    if TASKS.everywhere(engine.store):
        await engine.docker.remove_all(service="ecs")


SERVICE = Service(
    "ecs",
    modules=(
        clusters,
        capacity_providers,
        task_definitions,
        task_operations,
        task_protection,
        services,
        service_deployments,
        task_sets,
        settings,
        tags,
    ),
    executions=(SHIFT,),
    reconcilers=(
        Reconciler(TASK, tasks.keys, tasks.reconcile),
        Reconciler(SERVICE_RECONCILER, scheduler.keys, controllers.reconcile),
        Reconciler(logs.LOG, logs.keys, logs.follow),
        Reconciler(watch.WATCH, scheduler.keys, watch.watch),
        metrics.RECONCILER,
    ),
    mounts={metadata.PREFIX: metadata.endpoint, sessions.PREFIX: sessions.endpoint},
    start=_start,
    reset=_reset,
)
