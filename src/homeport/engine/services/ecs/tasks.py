"""The life of a task: PROVISIONING → PENDING → ACTIVATING → RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING →
STOPPED. A reconciler takes it from one state to the next; it is woken by Docker's events and by stop requests, and
asks nothing while nothing happens.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from homeport.engine.containers.errors import DockerUnavailable
from homeport.engine.containers.events import Event
from homeport.engine.durable.reconciler import Key
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import discovery, images, logs, start, targets
from homeport.engine.services.ecs.capacity import WARNING_SECONDS
from homeport.engine.services.ecs.containers import stop_timeout
from homeport.engine.services.ecs.failure import CannotStart
from homeport.engine.services.ecs.health import note_failure
from homeport.engine.services.ecs.observation import observe
from homeport.engine.services.ecs.restarts import restart_ended
from homeport.engine.services.ecs.service_rows import held, leaving_with, tell
from homeport.engine.services.ecs.tables import TASKS
from homeport.engine.services.ecs.task_rows import (
    ENDING,
    KEPT_SECONDS,
    TASK,
    Body,
    change,
    definition_of,
    forget,
    task_key,
)
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

DOCKER_AWAY_SECONDS = 5.0
DRAIN_LOOK_SECONDS = 2.0
REFUSED_SECONDS = 5.0
NOW = 0.0
"""The state has changed: look again at once."""


def keys(engine: Engine) -> Iterable[Key]:
    """Every task; those that have stopped are to be forgotten."""
    for scope, row in TASKS.everywhere(engine.store):
        yield scope, task_key(row)


def alive(engine: Engine) -> Iterable[Key]:
    """Every task that has not stopped."""
    for scope, row in TASKS.everywhere(engine.store):
        if row["lastStatus"] != "STOPPED":
            yield scope, task_key(row)


def hear(engine: Engine, event: Event) -> None:
    """Wake the task that an event of Docker is about."""
    if event.action == "connected":
        for scope, key in alive(engine):
            engine.wake(TASK, scope, key)
    elif "homeport.task" in event.labels and event.action != "create":
        scope = Scope(event.labels["homeport.account"], event.labels["homeport.region"])
        engine.wake(TASK, scope, event.labels["homeport.task"])


async def reconcile(ctx: Context, key: str) -> float | None:
    """Take the task as far as it goes now."""
    while True:
        row = TASKS.get(ctx, *key.split("/"))
        if row is None:
            return None
        try:
            after = await _STATES[row["lastStatus"]](ctx, row)
        except CannotStart as error:
            _fail(ctx, row, error)
            continue
        except DockerUnavailable as error:
            log.warning("the task %s waits: %s", key, error)
            return DOCKER_AWAY_SECONDS
        except AwsError as error:
            _tell_trouble(ctx, row, error)
            return REFUSED_SECONDS
        if after != NOW:
            return after


async def _provisioning(ctx: Context, row: Body) -> float | None:
    if row["desiredStatus"] == "STOPPED":
        return _enter(ctx, row, "STOPPING")
    await start.provision(ctx, row)
    return _enter(ctx, row, "PENDING")


async def _pending(ctx: Context, row: Body) -> float | None:
    if row["desiredStatus"] == "STOPPED":
        return _enter(ctx, row, "STOPPING")
    definition = definition_of(ctx, row)
    if not await start.pull(ctx, row, definition):
        return NOW
    wait = await start.start_containers(ctx, row, definition)
    row = await observe(ctx, row)
    if _essential_ended(ctx, row, definition):
        return NOW
    started = [container["lastStatus"] in ("RUNNING", "STOPPED") for container in row["containers"].values()]
    if not all(started):
        return wait
    await start.attach(ctx, row, definition)
    return _enter(ctx, row, "ACTIVATING")


async def _activating(ctx: Context, row: Body) -> float | None:
    if row["desiredStatus"] == "STOPPED":
        return _enter(ctx, row, "DEACTIVATING")
    await targets.register(ctx, row)
    await discovery.register(ctx, row)
    for target in row["targets"]:
        tell(ctx, row, f"registered 1 targets in (target-group {target['targetGroupArn']})")
    now = ctx.now()
    return _enter(ctx, row, "RUNNING", lambda fresh: fresh["task"].setdefault("startedAt", now))


async def _running(ctx: Context, row: Body) -> float | None:
    if row["desiredStatus"] == "STOPPED":
        return _enter(ctx, row, "DEACTIVATING")
    definition = definition_of(ctx, row)
    row = await restart_ended(ctx, await observe(ctx, row), definition)
    if _essential_ended(ctx, row, definition):
        return NOW
    return None


async def _deactivating(ctx: Context, row: Body) -> float | None:
    definition = definition_of(ctx, row)
    if not row.get("deregistered"):  # once only: its address may be another task's later
        await discovery.deregister(ctx, row)
        await targets.deregister(ctx, row)
        row = change(ctx, task_key(row), _note_deregistered)
    row = await observe(ctx, row)
    alive = any(container["lastStatus"] == "RUNNING" for container in row["containers"].values())
    left = _drain_limit(row, definition) - ctx.now()
    if alive and left > 0 and not _essential_is_gone(row, definition):
        if await _drains(ctx, row):
            return min(DRAIN_LOOK_SECONDS, left)
        if held(ctx, row):
            if not row.get("drained"):
                change(ctx, task_key(row), _note_drained)
            return min(DRAIN_LOOK_SECONDS, left)
    for target in row["targets"]:
        tell(ctx, row, f"deregistered 1 targets in (target-group {target['targetGroupArn']})")
    return _enter(ctx, row, "STOPPING")


def _note_deregistered(row: Body) -> None:
    if row["lastStatus"] == "DEACTIVATING":  # else it was called back meanwhile, and is to be registered anew
        row["deregistered"] = True


def _note_drained(row: Body) -> None:
    if row["lastStatus"] == "DEACTIVATING":
        row["drained"] = True


async def _drains(ctx: Context, row: Body) -> bool:
    """Whether a request may still be with the task, or with one that stops together with it."""
    rows = leaving_with(ctx, row)
    return not all(each.get("deregistered") for each in rows) or not await targets.drained(ctx, rows)


def _drain_limit(row: Body, definition: Body) -> float:
    """A Spot task must be gone two minutes after its warning, its stop timeout included."""
    if row["task"].get("stopCode") != "SpotInterruption":
        return math.inf
    longest = max(stop_timeout(container) for container in definition["containerDefinitions"])
    return row["task"]["stoppingAt"] + WARNING_SECONDS - longest


async def _stopping(ctx: Context, row: Body) -> float | None:
    definition = definition_of(ctx, row)
    await start.stop_containers(ctx, row, definition)
    row = await observe(ctx, row, ended=True)
    now = ctx.now()
    return _enter(
        ctx, row, "DEPROVISIONING", lambda fresh: fresh["task"].setdefault("executionStoppedAt", now)
    )


async def _deprovisioning(ctx: Context, row: Body) -> float | None:
    if not logs.all_sent(ctx, row):
        for name in row["containers"]:
            logs.begin(ctx, row, name)
        return logs.RETRY_SECONDS
    await start.remove(ctx, row, definition_of(ctx, row))
    now = ctx.now()

    def end(fresh: Body) -> None:
        fresh["task"]["stoppedAt"] = now
        for attachment in fresh["task"]["attachments"]:
            attachment["status"] = "DELETED"

    return _enter(ctx, row, "STOPPED", end)


async def _stopped(ctx: Context, row: Body) -> float | None:
    left: float = row["task"]["stoppedAt"] + KEPT_SECONDS - ctx.now()
    if left > 0:
        return left
    await images.clean_up(ctx, row)
    forget(ctx, row)
    return None


_STATES: dict[str, Callable[[Context, Body], Awaitable[float | None]]] = {
    "PROVISIONING": _provisioning,
    "PENDING": _pending,
    "ACTIVATING": _activating,
    "RUNNING": _running,
    "DEACTIVATING": _deactivating,
    "STOPPING": _stopping,
    "DEPROVISIONING": _deprovisioning,
    "STOPPED": _stopped,
}


def _enter(ctx: Context, row: Body, status: str, also: Callable[[Body], Any] = lambda row: None) -> float:
    """Take the task to its next state, unless it was called back while this one was seen to be over."""

    def apply(fresh: Body) -> None:
        if fresh["lastStatus"] == row["lastStatus"]:
            fresh["lastStatus"] = status
            also(fresh)

    change(ctx, task_key(row), apply)
    return NOW


def _tell_trouble(ctx: Context, row: Body, error: AwsError) -> None:
    """Tell once why the task waits: another service refuses what ECS asks of it, as the service's role."""
    if row.get("trouble") != error.message:
        change(ctx, task_key(row), lambda fresh: fresh.update(trouble=error.message))
        what = {"ACTIVATING": "register targets", "DEACTIVATING": "deregister targets"}.get(
            row["lastStatus"], "go on"
        )
        tell(ctx, row, f"failed to {what} with (error {error.message}).")


def _fail(ctx: Context, row: Body, error: CannotStart) -> None:
    """The task failed to start: it stops, with the reason."""

    def apply(fresh: Body) -> None:
        if fresh["desiredStatus"] != "STOPPED":
            fresh["desiredStatus"] = "STOPPED"
            fresh["task"] |= {
                "stopCode": "TaskFailedToStart",
                "stoppedReason": str(error),
                "stoppingAt": ctx.now(),
            }
            note_failure(ctx, fresh, str(error))
        if error.container:
            fresh["containers"][error.container]["reason"] = str(error)

    with ctx.store.transaction():
        fresh = change(ctx, task_key(row), apply)
        if fresh.get("cause") == str(error) and row["desiredStatus"] == "RUNNING":
            tell(ctx, row, f"(task {row['taskId']}) failed to start: {error}.")
        if fresh["lastStatus"] not in ENDING:
            _enter(ctx, fresh, "STOPPING")


def _essential_ended(ctx: Context, row: Body, definition: Body) -> bool:
    """Whether the task must stop because an essential container has ended, or never will start."""
    ended = _essential_is_gone(row, definition)
    if ended is None:
        return _dependency_failed(row, definition)
    container = row["containers"][ended]
    code = "EssentialContainerExited"
    cause = _why_ended(container)

    def apply(fresh: Body) -> None:
        if fresh["desiredStatus"] != "STOPPED":
            fresh["desiredStatus"] = "STOPPED"
            fresh["task"] |= {
                "stopCode": code,
                "stoppedReason": "Essential container in task exited",
                "stoppingAt": ctx.now(),
            }
            note_failure(ctx, fresh, cause)

    with ctx.store.transaction():
        if change(ctx, task_key(row), apply).get("cause") == cause and row["desiredStatus"] == "RUNNING":
            tell(ctx, row, f"(task {row['taskId']}) stopped: {cause}.")
    return True


def _essential_is_gone(row: Body, definition: Body) -> str | None:
    for container in definition["containerDefinitions"]:
        shown = row["containers"][container["name"]]
        if container["essential"] and shown["lastStatus"] == "STOPPED":
            return container["name"]
    return None


def _dependency_failed(row: Body, definition: Body) -> bool:
    """Raise CannotStart when a container waits for one that ended without what it waits for."""
    for container in definition["containerDefinitions"]:
        if row["containers"][container["name"]]["lastStatus"] not in ("PENDING",):
            continue
        for dependency in container.get("dependsOn", []):
            other = row["containers"][dependency["containerName"]]
            if other["lastStatus"] != "STOPPED":
                continue
            failed = dependency["condition"] == "SUCCESS" and other.get("exitCode") != 0
            if failed or dependency["condition"] == "HEALTHY":
                raise CannotStart(
                    "CannotStartContainerError",
                    f"the container {container['name']} waits for the condition {dependency['condition']} of "
                    f"{other['name']}, which {_why_ended(other)}",
                    container["name"],
                )
    return False


def _why_ended(container: Body) -> str:
    text = f"the container {container['name']} exited with code {container.get('exitCode')}"
    if container.get("reason"):
        text = f"{text} ({container['reason']})"
    if container.get("lines"):
        text = f"{text}; its last lines: {' | '.join(container['lines'])}"
    return text
