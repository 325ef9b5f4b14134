"""A service's rows: the service, its events, its deployments; and how AWS shows them."""

from __future__ import annotations

import math
import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.tables import (
    DEPLOYMENTS,
    EVENTS,
    REVISIONS,
    SERVICE_DEPLOYMENTS,
    SERVICES,
    TASKS,
)
from homeport.engine.services.ecs.task_rows import ENDING, KEPT_SECONDS, SERVICE, Body, timestamp

KEPT_EVENTS = 100
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")
REVOCABLE = ("PENDING", "IN_PROGRESS", "ROLLBACK_REQUESTED", "STOP_REQUESTED")
"""The states of a service deployment that has neither ended nor begun to go back."""


def digits() -> str:
    """Nineteen random digits, as in the ids of deployments and service revisions."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def alive(ctx: Context, service: Body) -> list[Body]:
    """The rows of the service's tasks that have not stopped."""
    name = service["clusterName"]
    running = TASKS.list(ctx, name, serviceName=service["serviceName"], desiredStatus="RUNNING")
    stopping = TASKS.list(ctx, name, serviceName=service["serviceName"], desiredStatus="STOPPED")
    return running + [row for row in stopping if row["lastStatus"] != "STOPPED"]


def leaving_with(ctx: Context, row: Body) -> list[Body]:
    """The tasks that drain together: all of a deployment that goes as a whole, so that while one of them still
    answers a request all can be called back; otherwise the task alone."""
    key = row["clusterName"], row["serviceName"]
    own = [each for each in DEPLOYMENTS.list(ctx, *key) if each["id"] == row["deployment"]]
    if not any(each.get("scale") == 0 for each in own):
        return [row]
    rows = TASKS.list(ctx, key[0], serviceName=key[1], desiredStatus="STOPPED")
    return [
        each
        for each in rows
        if each["deployment"] == row["deployment"] and each["lastStatus"] in ("RUNNING", "DEACTIVATING")
    ]


def held(ctx: Context, row: Body) -> bool:
    """Whether the deployment that cleans up after the task's may still be taken back: then it must find the task."""
    key = row["clusterName"], row["serviceName"]
    service = SERVICES.get(ctx, *key)
    newest = SERVICE_DEPLOYMENTS.get(ctx, *key, service["serviceDeployments"]) if service else None
    shift = newest.get("shift") if newest and newest["status"] in REVOCABLE else None
    if not shift or shift["stage"] != "CLEAN_UP" or shift["failure"] or not shift["source"]:
        return False
    return bool(shift["source"]["deployment"] == row["deployment"])


def deployments(ctx: Context, service: Body) -> list[Body]:
    """The primary deployment first, then those that still have tasks."""
    rows = DEPLOYMENTS.list(ctx, service["clusterName"], service["serviceName"], status="ACTIVE")
    rows += DEPLOYMENTS.list(ctx, service["clusterName"], service["serviceName"], status="PRIMARY")
    return [row for row in reversed(rows) if not row.get("taskSet")]


def save_service(ctx: Context, service: Body) -> None:
    """Write the service and have the scheduler look at it."""
    SERVICES.put(ctx, service)
    ctx.wake(SERVICE, f"{service['clusterName']}/{service['serviceName']}")


def forget(ctx: Context, service: Body) -> float | None:
    """Delete all rows of a service that was deleted long ago; else return after how many seconds that is to be.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html"""
    left: float = service.get("endedAt", 0.0) + KEPT_SECONDS - ctx.now()
    if left > 0:
        return left
    key = service["clusterName"], service["serviceName"]
    with ctx.store.transaction():
        SERVICES.delete(ctx, *key)
        for table in (EVENTS, DEPLOYMENTS, SERVICE_DEPLOYMENTS, REVISIONS):
            for row in table.list(ctx, *key):
                table.delete(ctx, *key, row[table.key[-1]])
    return None


def add_event(ctx: Context, service: Body, message: str, deployment: Body | None = None) -> None:
    """Tell what happened: `(service web) has reached a steady state.`; of a task set, when `deployment` is one:
    `(service web, taskSet ecs-svc/1) …`. The newest hundred are kept. `service` must be written afterwards."""
    service["events"] += 1
    task_set = f", taskSet {deployment['id']}" if deployment and deployment.get("taskSet") else ""
    event = {
        "clusterName": service["clusterName"],
        "serviceName": service["serviceName"],
        "number": service["events"],
        "event": {
            "id": f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}-"
            + secrets.token_hex(6),
            "createdAt": ctx.now(),
            "message": f"(service {service['serviceName']}{task_set}) {message}",
        },
    }
    EVENTS.put(ctx, event)
    EVENTS.delete(ctx, service["clusterName"], service["serviceName"], service["events"] - KEPT_EVENTS)


def tell(ctx: Context, row: Body, message: str) -> None:
    """Add an event to the service of a task, if it has one."""
    with ctx.store.transaction():
        service = SERVICES.get(ctx, row["clusterName"], row["serviceName"]) if row["serviceName"] else None
        if service is not None:
            add_event(ctx, service, message)
            SERVICES.put(ctx, service)


def emit_action(ctx: Context, service: Body, kind: str, name: str, **detail: Any) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html"""
    arn = service["shown"]["serviceArn"]
    body = {
        "eventType": kind,
        "eventName": name,
        "clusterArn": service["shown"]["clusterArn"],
        **detail,
        "createdAt": timestamp(ctx.now()),
    }
    ctx.emit("aws.ecs", "ECS Service Action", body, [arn])


def described(ctx: Context, service: Body) -> Body:
    """The service as AWS shows it. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html"""
    rows = alive(ctx, service)
    current = deployments(ctx, service)
    events = EVENTS.list(ctx, service["clusterName"], service["serviceName"])
    primary = current[0] if current else None
    shown = {key: value for key, value in service["shown"].items() if value is not None}
    sets = [_deployment(service, each, rows, "scale" in current[0]) for each in current]
    return {
        **shown,
        "serviceName": service["serviceName"],
        "status": service["status"],
        "desiredCount": service["desiredCount"],
        "runningCount": running_count(rows),
        "pendingCount": pending_count(rows),
        "taskDefinition": primary["shown"]["taskDefinition"] if primary else shown.get("taskDefinition"),
        "deployments": sets,
        **_current(ctx, service, [each["revision"] for each in current], sets),
        "events": [row["event"] for row in reversed(events)],
    }


def _deployment(service: Body, deployment: Body, rows: list[Body], shifts: bool) -> Body:
    """`shifts`: the deployment is one of two that run beside each other, each with a scale of its own."""
    share = 100.0 if deployment["status"] == "PRIMARY" else deployment.get("scale", 100.0) if shifts else 0.0
    own = [row for row in rows if row["deployment"] == deployment["id"]]
    shown = {key: value for key, value in deployment["shown"].items() if value is not None}
    return {
        **shown,
        "id": deployment["id"],
        "status": deployment["status"],
        "desiredCount": math.ceil(service["desiredCount"] * share / 100),
        "runningCount": running_count(own),
        "pendingCount": pending_count(own),
        "failedTasks": deployment["failures"],
    }


def _current(ctx: Context, service: Body, revisions: list[str], sets: list[Body]) -> Body:
    """The newest service deployment, also once it has ended, and the revisions that have tasks, or are to have some.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceCurrentRevisionSummary.html"""
    key = service["clusterName"], service["serviceName"]
    newest = SERVICE_DEPLOYMENTS.get(ctx, *key, service["serviceDeployments"])
    if newest is None or not sets:
        return {}
    summaries: dict[str, Body] = {}
    for revision, shown in zip(revisions, sets, strict=True):
        summary = summaries.setdefault(revision, {"arn": revision_arn(ctx, service, revision)})
        for member, count in (
            ("requestedTaskCount", "desiredCount"),
            ("runningTaskCount", "runningCount"),
            ("pendingTaskCount", "pendingCount"),
        ):
            summary[member] = summary.get(member, 0) + shown[count]
    return {
        "currentServiceDeployment": newest["shown"]["serviceDeploymentArn"],
        "currentServiceRevisions": list(summaries.values()),
    }


def revision_arn(ctx: Context, service: Body, revision: str) -> str:
    """The ARN of a service's revision."""
    return ctx.arn(f"service-revision/{service['clusterName']}/{service['serviceName']}/{revision}")


def running_count(rows: list[Body]) -> int:
    """How many tasks run. Tasks that are being stopped, draining among them, do not count."""
    return sum(row["lastStatus"] == "RUNNING" and row["desiredStatus"] == "RUNNING" for row in rows)


def pending_count(rows: list[Body]) -> int:
    """How many tasks are on their way to run."""
    return sum(row["lastStatus"] in STARTING and row["desiredStatus"] == "RUNNING" for row in rows)


def over(rows: list[Body], deployment: Body) -> bool:
    """Whether no task of the deployment serves any more."""
    return all(
        row["lastStatus"] in ENDING and (row["lastStatus"] != "DEACTIVATING" or row.get("drained"))
        for row in rows
        if row["deployment"] == deployment["id"]
    )
