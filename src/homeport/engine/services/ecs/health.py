"""Is a task of a service healthy, unhealthy, or on its way? And what happens to a count when one fails.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-configure-parameters.html"""

from __future__ import annotations

from typing import NamedTuple

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.deployments.rolling import View
from homeport.engine.services.ecs.tables import DEPLOYMENTS
from homeport.engine.services.ecs.targets import Health
from homeport.engine.services.ecs.task_rows import Body, checked, described, protected, task_key

UNCHECKED_SECONDS = 40.0
"""How long a task that nothing checks must run until it counts as healthy."""


class Judgement(NamedTuple):
    """A task as the scheduler counts it, when to judge it again, and why it is unhealthy: AWS's reason for the
    stopped task, and a sentence for the service's events."""

    view: View
    again: float | None = None
    stopped_reason: str = ""
    event: str = ""


def judge(service: Body, row: Body, health: Health | None, now: float) -> Judgement:
    """Judge a task that is meant to run. `health` is what its target groups say; None when it has none."""
    key, running = task_key(row), row["lastStatus"] == "RUNNING"
    created = row["task"]["createdAt"]

    def view(healthy: bool = False, unhealthy: bool = False) -> View:
        kept = protected(row, now) and service["status"] != "DRAINING"
        return View(key, row["deployment"], running, healthy, unhealthy, created, kept)

    if not running:
        return Judgement(view())
    started = row["task"]["startedAt"]
    status = described(row)["healthStatus"]
    failed = _failed(row, status, health)
    if failed:
        grace = started + (service["shown"].get("healthCheckGracePeriodSeconds") or 0) - now
        if grace > 0:
            return Judgement(view(), grace)
        return Judgement(view(unhealthy=True), None, *failed)
    if health is None and not checked(row):
        left = started + UNCHECKED_SECONDS - now
        return Judgement(view(healthy=left <= 0), left if left > 0 else None)
    healthy = (not checked(row) or status == "HEALTHY") and (
        health is None or health.state in ("healthy", "unused")
    )
    return Judgement(view(healthy=healthy))


def _failed(row: Body, status: str, health: Health | None) -> tuple[str, str] | None:
    if status == "UNHEALTHY":
        failing = [each for each in row["containers"].values() if each["healthStatus"] == "UNHEALTHY"]
        probes = "; ".join(f"container {each['name']}: {each.get('probe', '')}" for each in failing)
        return (
            "Task failed container health checks",
            f"(task {row['taskId']}) failed container health checks ({probes}).",
        )
    if health is not None and health.state == "unhealthy":
        port = next(
            (each["containerPort"] for each in row["targets"] if each["targetGroupArn"] == health.group), ""
        )
        return (
            f"Task failed ELB health checks in (target-group {health.group})",
            f"(port {port}) is unhealthy in (target-group {health.group}) due to (reason {health.description}).",
        )
    return None


def note_failure(ctx: Context, row: Body, cause: str) -> None:
    """Remember why a task stopped by itself, and count it against its deployment unless it once was healthy.
    Called while the task's row is being changed."""
    row["cause"] = cause
    if row["serviceName"] and not row.get("wasHealthy"):
        for deployment in DEPLOYMENTS.list(ctx, row["clusterName"], row["serviceName"]):
            if deployment["id"] == row["deployment"]:
                deployment["failures"] += 1
                deployment["failedAt"] = ctx.now()
                deployment["lastFailure"] = cause
                DEPLOYMENTS.put(ctx, deployment)
