"""Tasks of ECS services: which there are, and why one stopped."""

from __future__ import annotations

from typing import Any


def of_service(ecs: Any, cluster: str, service: str, status: str, most: int = 20) -> list[dict[str, Any]]:
    """The tasks of a service that should run (`RUNNING`), or that have stopped within the last hour (`STOPPED`)."""
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus=status, maxResults=most)[
        "taskArns"
    ]
    return ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []


def why_stopped(task: dict[str, Any]) -> list[str]:
    """What was said when a task stopped: of the task, then of its containers with their exit codes; nothing of one
    that was replaced, or is one too many."""
    reason = task.get("stoppedReason", "")
    if "scaling activity" in reason.lower():
        return []
    said = [reason] if reason else []
    for each in task["containers"]:
        if each.get("reason"):
            said.append(f"{each['name']}: {each['reason']}")
        if each.get("exitCode") is not None:
            said.append(f"{each['name']}: exit code {each['exitCode']}")
    return said
