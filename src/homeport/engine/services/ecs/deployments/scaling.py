"""How many tasks each deployment of a service has, and the moves that bring it nearer to that.

A deployment that shifts traffic runs beside the one before it, so each has a `scale` of its own: the percentage of
the tasks that the service wants. A rolling deployment has none; it takes the place of the one before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.deployments import rolling
from homeport.engine.services.ecs.deployments.rolling import Bounds, Plan, View
from homeport.engine.services.ecs.service_rows import alive, over
from homeport.engine.services.ecs.task_rows import Body


def wanted(service: Body, deployment: Body | None = None) -> int:
    """How many tasks the service should have, or one deployment of it. A DAEMON service has one for each instance:
    this machine."""
    if service["status"] == "DRAINING":
        return 0
    count: int = 1 if service["shown"]["schedulingStrategy"] == "DAEMON" else service["desiredCount"]
    scale = 100.0 if deployment is None else deployment.get("scale", 100.0)
    return math.ceil(count * scale / 100)


def limits(service: Body) -> Bounds:
    """The bounds within which the scheduler keeps."""
    configuration = service["shown"]["deploymentConfiguration"]
    return rolling.bounds(
        wanted(service), configuration["minimumHealthyPercent"], configuration["maximumPercent"]
    )


def shifts(deployment: Body) -> bool:
    """Whether the deployment runs beside the one before it."""
    return "scale" in deployment


def plans(service: Body, current: list[Body], views: Mapping[str, View]) -> list[tuple[Body, Plan]]:
    """The next moves of each deployment that may start tasks; `current` has the primary one first."""
    if shifts(current[0]):
        return [(each, _plan(service, each, views)) for each in current]
    primary = current[0]
    moves = rolling.plan(
        wanted(service),
        limits(service),
        primary["id"],
        list(views.values()),
        rolling=primary["shown"]["rolloutState"] == "IN_PROGRESS",
        may_start=primary["shown"]["rolloutState"] != "FAILED",
    )
    return [(primary, moves)]


def _plan(service: Body, deployment: Body, views: Mapping[str, View]) -> Plan:
    count = wanted(service, deployment) if shifts(deployment) else wanted(service)
    coming_up = deployment["shown"]["rolloutState"] == "IN_PROGRESS" and not deployment.get("up")
    return rolling.plan(
        count,
        Bounds(0, max(count, limits(service).upper)),
        deployment["id"],
        [view for view in views.values() if view.deployment == deployment["id"]],
        rolling=coming_up,
        may_start=deployment["shown"]["rolloutState"] != "FAILED",
    )


def up(service: Body, deployment: Body) -> bool:
    """Whether all tasks of the deployment serve."""
    count: int = deployment.get("serving", 0)
    return count >= wanted(service, deployment)


def runs(ctx: Context, service: Body, id: str) -> bool:
    """Whether a deployment has a task that runs."""
    return any(row["deployment"] == id and row["lastStatus"] == "RUNNING" for row in alive(ctx, service))


def down(ctx: Context, service: Body, deployment: Body) -> bool:
    """Whether the deployment is to have no tasks, and none of it serves any more."""
    return deployment.get("scale") == 0 and over(alive(ctx, service), deployment)
