"""Containers with a restart policy are started again inside their task.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html"""

from __future__ import annotations

import functools

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.services.context import Context
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.task_rows import Body, change, task_key

_PERIOD = 300


async def restart_ended(ctx: Context, row: Body, definition: Body) -> Body:
    """Start those ended containers again whose policy wants it; returns the row as it is then."""
    for container in definition["containerDefinitions"]:
        shown = row["containers"][container["name"]]
        if shown["lastStatus"] == "STOPPED" and _wanted(container.get("restartPolicy", {}), shown):
            try:
                await ctx.engine.docker.start(docker_name(ctx, row, container["name"]))
            except DockerRefused:
                continue
            row = change(ctx, task_key(row), functools.partial(_restarted, container["name"]))
    return row


def _wanted(policy: Body, shown: Body) -> bool:
    if not policy.get("enabled") or shown.get("exitCode") in policy.get("ignoredExitCodes", []):
        return False
    ran = (shown.get("finished") or 0.0) - (shown.get("begun") or 0.0)
    return ran >= policy.get("restartAttemptPeriod", _PERIOD)


def _restarted(name: str, row: Body) -> None:
    shown = row["containers"][name]
    shown["lastStatus"] = "RUNNING"
    shown["restarts"] = shown.get("restarts", 0) + 1
    for member in ("exitCode", "reason", "lines", "finished"):
        shown.pop(member, None)
