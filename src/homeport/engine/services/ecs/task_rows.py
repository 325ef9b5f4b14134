"""A task's row: making one, changing one, showing one. Every change is written with the event that tells of it.

Whoever waits for Docker must not write back a row that it read before: in the meantime someone may have asked for
the task's stop. So rows are changed by `change`, which reads, changes and writes without a pause.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.tables import DEFINITIONS, LOG_POSITIONS, TASKS, TOKENS

Body = dict[str, Any]

TASK = "ecs.task"
SERVICE = "ecs.service"
KEPT_SECONDS = 3600.0
"""How long a stopped task, or a service that was deleted, can be described."""
_INTERNAL = ("checked", "essential", "lines", "begun", "finished", "probe", "restarts")
ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
_SCALED_IN = "Scaling activity initiated by"


def new_task(ctx: Context, cluster: str, definition: Body, settings: Mapping[str, Any]) -> Body:
    """Accept a task: its row, and the wake-up that starts it. `settings` are members of AWS's Task, and
    `serviceName`, `deployment`, `targets`, `registries`, `images` for the task of a service, `token` for the key of the
    client token of RunTask."""
    settings = dict(settings)
    id = secrets.token_hex(16)
    arn = ctx.arn(f"task/{cluster}/{id}")
    overrides = settings.get("overrides") or {"containerOverrides": [], "inferenceAcceleratorOverrides": []}
    row: Body = {
        "clusterName": cluster,
        "taskId": id,
        "serviceName": settings.pop("serviceName", ""),
        "deployment": settings.pop("deployment", ""),
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "targets": settings.pop("targets", []),
        "registries": settings.pop("registries", []),
        "images": settings.pop("images", {}),
        "token": settings.pop("token", None),
        "definition": [definition["family"], definition["revision"]],
        "containers": {
            container["name"]: _container(ctx, cluster, id, container, overrides)
            for container in definition["definition"]["containerDefinitions"]
        },
    }
    row["task"] = {
        "taskArn": arn,
        "clusterArn": ctx.arn(f"cluster/{cluster}"),
        "taskDefinitionArn": definition["definition"]["taskDefinitionArn"],
        "availabilityZone": f"{ctx.region}a",
        "createdAt": ctx.now(),
        "cpu": overrides.get("cpu") or definition["definition"].get("cpu"),
        "memory": overrides.get("memory") or definition["definition"].get("memory"),
        "connectivity": "CONNECTED",
        "connectivityAt": ctx.now(),
        "attributes": [],
        "attachments": [],
        "version": 1,
        **settings,
        "overrides": overrides,
    }
    TASKS.put(ctx, row)
    _tell(ctx, row)
    ctx.wake(TASK, task_key(row))
    return row


def _container(ctx: Context, cluster: str, task: str, definition: Body, overrides: Body) -> Body:
    override: Body = next(
        (each for each in overrides["containerOverrides"] if each.get("name") == definition["name"]), {}
    )
    shown = {
        "containerArn": ctx.arn(f"container/{cluster}/{task}/{secrets.token_hex(16)}"),
        "taskArn": ctx.arn(f"task/{cluster}/{task}"),
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(override.get("cpu", definition.get("cpu", 0))),
        "essential": definition["essential"],
    }
    for member in ("memory", "memoryReservation"):
        if value := override.get(member, definition.get(member)):
            shown[member] = str(value)
    return shown


def task_key(row: Body) -> str:
    """The key under which the reconciler knows the task."""
    return f"{row['clusterName']}/{row['taskId']}"


def change(ctx: Context, key: str, apply: Callable[[Body], None]) -> Body:
    """Change a task's row, tell of it when what callers see of it changed, and have its service look."""
    with ctx.store.transaction():
        row = TASKS.get(ctx, *key.split("/"))
        assert row is not None, f"the task {key} is gone"
        before = _seen(row)
        apply(row)
        if _seen(row) != before:
            row["task"]["version"] += 1
            _tell(ctx, row)
        TASKS.put(ctx, row)
        if row["serviceName"]:
            ctx.wake(SERVICE, f"{row['clusterName']}/{row['serviceName']}")
    return row


def request_stop(ctx: Context, row: Body, code: str, reason: str) -> None:
    """Ask for the task's stop; the first reason stays."""

    def apply(row: Body) -> None:
        if row["desiredStatus"] != "STOPPED":
            row["desiredStatus"] = "STOPPED"
            row["task"] |= {"stopCode": code, "stoppedReason": reason, "stoppingAt": ctx.now()}

    change(ctx, task_key(row), apply)
    ctx.notify(stop_topic(row))
    ctx.wake(TASK, task_key(row))


def scaled_in(deployment: str) -> str:
    """Why the scheduler stops a task that nothing is wrong with, in AWS's words."""
    return f"{_SCALED_IN} (deployment {deployment})"


def recall(ctx: Context, row: Body) -> bool:
    """Take back the stop of a task that nothing is wrong with and that only drains: its containers have not heard of
    it, and it serves again once its targets are registered. Returns whether it was not too late."""

    def apply(row: Body) -> None:
        if not _only_drains(row):
            return
        row |= {"desiredStatus": "RUNNING", "lastStatus": "ACTIVATING"}
        row |= {"deregistered": False, "drained": False}
        for member in ("stopCode", "stoppedReason", "stoppingAt"):
            del row["task"][member]

    recalled = change(ctx, task_key(row), apply)["desiredStatus"] == "RUNNING"
    if recalled:
        ctx.wake(TASK, task_key(row))
    return recalled


def _only_drains(row: Body) -> bool:
    scaled = row["task"].get("stoppedReason", "").startswith(_SCALED_IN)
    return scaled and row["lastStatus"] == "DEACTIVATING"


def stop_topic(row: Body) -> str:
    """The topic that is notified when the task's stop is asked for."""
    return f"ecs.stop:{task_key(row)}"


def definition_of(ctx: Context, row: Body) -> Body:
    """The task definition with the task's overrides applied."""
    found = DEFINITIONS.get(ctx, *row["definition"])
    assert found is not None
    overrides = row["task"]["overrides"]
    definition = {**found["definition"]}
    for member in ("cpu", "memory", "taskRoleArn", "executionRoleArn"):
        if overrides.get(member):
            definition[member] = overrides[member]
    by_name = {each.get("name"): each for each in overrides.get("containerOverrides", [])}
    definition["containerDefinitions"] = [
        _overridden(container, by_name.get(container["name"], {}))
        for container in definition["containerDefinitions"]
    ]
    return definition


def _overridden(container: Body, override: Body) -> Body:
    merged = {
        **container,
        **{key: value for key, value in override.items() if key not in ("name", "environment")},
    }
    environment = {each["name"]: each for each in container["environment"]}
    environment |= {each["name"]: each for each in override.get("environment", [])}
    return {**merged, "environment": list(environment.values())}


def described(row: Body) -> Body:
    """The task as AWS shows it. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html"""
    return {
        **{key: value for key, value in row["task"].items() if value is not None},
        "containers": [_shown(row, container) for container in row["containers"].values()],
        "desiredStatus": row["desiredStatus"],
        "lastStatus": row["lastStatus"],
        "healthStatus": _health(row),
    }


def checked(row: Body) -> list[str]:
    """The health of the containers whose health checks count: those that are essential."""
    return [
        container["healthStatus"]
        for container in row["containers"].values()
        if container.get("checked") and container.get("essential", True)
    ]


def protected(row: Body, now: float) -> bool:
    """Whether the task is protected from being stopped by scale-in."""
    until: float = row.get("protectedUntil") or 0.0
    return until > now


def _health(row: Body) -> str:
    found = set(checked(row))
    if "UNHEALTHY" in found:
        return "UNHEALTHY"
    return "HEALTHY" if found == {"HEALTHY"} else "UNKNOWN"


def _shown(row: Body, container: Body) -> Body:
    shown = {key: value for key, value in container.items() if key not in _INTERNAL}
    if row["task"].get("enableExecuteCommand"):
        agent = {"name": "ExecuteCommandAgent", "lastStatus": container["lastStatus"]}
        if container.get("begun"):
            agent["lastStartedAt"] = container["begun"]
        shown["managedAgents"] = [agent]
    return shown


def _seen(row: Body) -> Any:
    containers = [(each["lastStatus"], each["healthStatus"]) for each in row["containers"].values()]
    return row["lastStatus"], row["desiredStatus"], containers


def _tell(ctx: Context, row: Body) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html"""
    detail = described(row)
    for member, value in detail.items():
        if member.endswith("At"):
            detail[member] = timestamp(value)
    detail["updatedAt"] = timestamp(ctx.now())
    # an event names the kind of attachment otherwise than DescribeTasks does
    detail["attachments"] = [{**each, "type": "eni"} for each in detail["attachments"]]
    ctx.emit("aws.ecs", "ECS Task State Change", detail, [row["task"]["taskArn"]])


def timestamp(value: float) -> str:
    """A time as events have it: `2026-03-05T15:54:41.618Z`."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def forget(ctx: Context, row: Body) -> None:
    """Delete the row of a task."""
    with ctx.store.transaction():
        TASKS.delete(ctx, row["clusterName"], row["taskId"])
        TOKENS.delete(ctx, row.get("token"))
        for position in LOG_POSITIONS.list(ctx, row["taskId"]):
            LOG_POSITIONS.delete(ctx, row["taskId"], position["container"])
