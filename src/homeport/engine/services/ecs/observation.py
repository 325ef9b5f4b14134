"""What Docker says of a task's containers, written into the task's row."""

from __future__ import annotations

import asyncio
from typing import Any

from homeport.engine.containers.runtime import exit_of
from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body, change, task_key

LAST_LINES = 5
LINE_LENGTH = 300
_HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


def docker_name(ctx: Context, row: Body, container: str) -> str:
    """The name of a task's container in Docker."""
    return ctx.engine.docker.name("ecs", row["taskId"], container)


async def observe(ctx: Context, row: Body, *, ended: bool = False) -> Body:
    """Bring the containers of the row up to date; `ended` says that those which Docker does not have never ran.
    Exit codes, reasons and last lines are kept here, so that containers may be removed."""
    runtime = ctx.engine.docker
    names = list(row["containers"])
    found = await asyncio.gather(*(runtime.inspect(docker_name(ctx, row, name)) for name in names))
    seen: dict[str, Body] = {}
    for name, inspected in zip(names, found, strict=True):
        if row["containers"][name]["lastStatus"] == "STOPPED":
            continue
        if inspected is not None:
            seen[name] = await _status(ctx, row, name, inspected)
            if ended:
                seen[name]["lastStatus"] = "STOPPED"
        elif ended:
            seen[name] = {"lastStatus": "STOPPED"}
        elif row["containers"][name]["lastStatus"] == "RUNNING":
            reason = "The container was removed by someone else than ECS."
            seen[name] = {"lastStatus": "STOPPED", "reason": reason, "exitCode": 137}

    def apply(fresh: Body) -> None:
        for name, members in seen.items():
            fresh["containers"][name].update(members)

    if any(row["containers"][name] | members != row["containers"][name] for name, members in seen.items()):
        return change(ctx, task_key(row), apply)
    return row


async def _status(ctx: Context, row: Body, name: str, inspected: dict[str, Any]) -> Body:
    state = inspected["State"]
    members: Body = {"runtimeId": inspected["Id"]}
    if state["Status"] == "running":
        members |= {"lastStatus": "RUNNING", "begun": exit_of(inspected).started}
    elif state["Status"] in ("exited", "dead"):
        outcome = exit_of(inspected)
        lines = await ctx.engine.docker.last_lines(inspected["Id"], LAST_LINES)
        members |= {"lastStatus": "STOPPED", "exitCode": outcome.code}
        members |= {"begun": outcome.started, "finished": outcome.finished}
        members["lines"] = [line[:LINE_LENGTH] for line in lines]
        if outcome.oom:
            members["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        elif outcome.error:
            members["reason"] = f"CannotStartContainerError: {outcome.error}"
    if health := state.get("Health"):
        members |= {"healthStatus": _HEALTH.get(health["Status"], "UNKNOWN"), "checked": True}
        if health["Status"] == "unhealthy" and health.get("Log"):
            last = health["Log"][-1]
            output = " ".join(last["Output"].split())[:LINE_LENGTH]
            members["probe"] = f"its health check exited with code {last['ExitCode']}: {output}"
    return members
