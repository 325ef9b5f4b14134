"""How busy services are: CPUUtilization and MemoryUtilization of AWS/ECS, once a minute, from what Docker measures.

A task's share is what it used of what its task definition reserves; one value a task, so that averages, maxima and
minima of a service come out as on AWS. CPU is the use since the minute before, which `ecs_usage` keeps.

AWS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.tables import SERVICES, TASKS, USAGE
from homeport.engine.services.ecs.task_rows import definition_of
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

Body = dict[str, Any]

METRICS = "ecs.metrics"
_EVERY = 60.0
_AT_ONCE = 8
_UNIT = 1024  # CPU units of one processor
_MEBIBYTE = 1024 * 1024


async def publish(ctx: Context, key: str) -> float | None:
    """Measure the running tasks of a service."""
    cluster, name = key.split("/")
    service = SERVICES.get(ctx, cluster, name)
    if service is None or service["status"] != "ACTIVE":
        USAGE.delete(ctx, cluster, name)
        return None
    rows = TASKS.list(ctx, cluster, serviceName=name, desiredStatus="RUNNING", lastStatus="RUNNING")
    if not rows:
        return _EVERY
    limit = asyncio.Semaphore(_AT_ONCE)
    measured = await asyncio.gather(*(_measure(ctx, row, limit) for row in rows))
    before = USAGE.get(ctx, cluster, name) or {"tasks": {}, "time": 0.0}
    now = ctx.now()
    after = {row["taskId"]: cpu for row, (cpu, _) in zip(rows, measured, strict=True)}
    USAGE.put(ctx, {"clusterName": cluster, "serviceName": name, "time": now, "tasks": after})
    shares: dict[str, list[float]] = {"CPUUtilization": [], "MemoryUtilization": []}
    for row, (cpu, memory) in zip(rows, measured, strict=True):
        units, mebibytes = _reserved(definition_of(ctx, row))
        passed = now - before["time"]
        if units and row["taskId"] in before["tasks"] and passed > 0:
            used = max(0.0, cpu - before["tasks"][row["taskId"]])
            shares["CPUUtilization"].append(100 * used / passed * _UNIT / units)
        if mebibytes:
            shares["MemoryUtilization"].append(100 * memory / (mebibytes * _MEBIBYTE))
    await _put(ctx, cluster, name, shares, now)
    return _EVERY


async def _measure(ctx: Context, row: Body, limit: asyncio.Semaphore) -> tuple[float, int]:
    """Seconds of CPU that the task's containers used so far, by the engine's clock, and their bytes of memory."""
    cpu, memory = 0.0, 0
    for name in row["containers"]:
        async with limit:
            try:
                stats = await ctx.engine.docker.stats(docker_name(ctx, row, name))
            except DockerRefused:  # the container has just ended: it uses nothing
                continue
        cpu += stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0) / 1e9 * ctx.clock.speed
        usage = stats.get("memory_stats", {})
        memory += usage.get("usage", 0) - usage.get("stats", {}).get("inactive_file", 0)
    return cpu, memory


def _reserved(definition: Body) -> tuple[int, int]:
    """CPU units and MiB that the task definition reserves."""
    containers = definition["containerDefinitions"]
    units = int(definition.get("cpu") or 0) or sum(each.get("cpu", 0) for each in containers)
    memory = int(definition.get("memory") or 0) or sum(
        each.get("memory") or each.get("memoryReservation") or 0 for each in containers
    )
    return units, memory


async def _put(ctx: Context, cluster: str, service: str, shares: dict[str, list[float]], now: float) -> None:
    dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    data = [
        {
            "MetricName": metric,
            "Dimensions": dimensions,
            "Timestamp": now,
            "Unit": "Percent",
            "Values": values[start : start + 150],
        }
        for metric, values in shares.items()
        for start in range(0, len(values), 150)
    ]
    if data:
        await ctx.client("cloudwatch", as_service=True).put_metric_data(Namespace="AWS/ECS", MetricData=data)


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    for scope, body in SERVICES.everywhere(engine.store):
        yield scope, f"{body['clusterName']}/{body['serviceName']}"


RECONCILER = Reconciler(METRICS, _keys, publish)
