"""Whether this machine can hold a task."""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body

_MEBIBYTE = 1024 * 1024


async def obstacle(ctx: Context, definition: Body) -> str | None:
    """Why the machine cannot run a task of this definition at all; None when it can. Raises DockerUnavailable."""
    machine = await ctx.engine.docker.info()
    available = machine["MemTotal"] // _MEBIBYTE
    needed = int(definition.get("memory") or 0) or sum(
        container.get("memory") or container.get("memoryReservation") or 0
        for container in definition["containerDefinitions"]
    )
    if needed > available:
        return (
            "Capacity is unavailable at this time. Please try again later or in a different availability zone "
            f"(the task needs {needed} MiB of memory, this machine has {available} MiB)"
        )
    return None


async def shortage(ctx: Context, definition: Body) -> str | None:
    """What the machine has less of than the task asks for, though it can run it."""
    processors = (await ctx.engine.docker.info())["NCPU"]
    cpu = int(definition.get("cpu") or 0)
    if cpu > processors * 1024:
        return f"the task asks for {cpu} CPU units, and gets the {processors * 1024} of this machine"
    return None
