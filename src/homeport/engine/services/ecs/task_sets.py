"""Task sets: what the services of the deployment controllers CODE_DEPLOY and EXTERNAL run.

A task set is the row of a deployment with a member `taskSet`; its settings are a service revision.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
"""

from __future__ import annotations

import math
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.revisions import new_revision
from homeport.engine.services.ecs.service_rows import digits, pending_count, running_count
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS
from homeport.engine.services.ecs.task_rows import Body

_OWN = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
)
"""What a task set has of its own, and its service takes over from the primary one."""

_INTERNAL = ("clientToken", "wasSteady")


def has_task_sets(service: Body) -> bool:
    """Whether task sets run the service's tasks, and not deployments of ECS's own."""
    return controller(service) != "ECS"


def controller(service: Body) -> str:
    """The service's deployment controller: ECS, CODE_DEPLOY or EXTERNAL."""
    type: str = (service["shown"].get("deploymentController") or {}).get("type", "ECS")
    return type


def task_sets(ctx: Context, service: Body) -> list[Body]:
    """The service's task sets that are there, the primary one first, then the newest."""
    rows = DEPLOYMENTS.list(ctx, service["clusterName"], service["serviceName"])
    found = [row for row in rows if row.get("taskSet") and row["status"] != "INACTIVE"]
    return sorted(found, key=lambda row: (row["status"] != "PRIMARY", -row["number"]))


def new_task_set(
    ctx: Context, service: Body, settings: Body, definition: Body, status: str, **members: Any
) -> Body:
    """Make a task set. `members` are `scale`, `externalId`, `startedBy`, `tags`, `clientToken`. The service must be
    written afterwards."""
    revision = new_revision(ctx, service, settings, definition)
    service["deployments"] += 1
    now = ctx.now()
    row = {
        "clusterName": service["clusterName"],
        "serviceName": service["serviceName"],
        "number": service["deployments"],
        "id": f"ecs-svc/{digits()}",
        "status": status,
        "revision": revision["id"],
        "failures": 0,
        "lastFailure": None,
        "resolved": False,
        "taskSet": {"stabilityStatus": "STABILIZING", "stabilityStatusAt": now, **members},
        "shown": {"createdAt": now, "updatedAt": now},
    }
    DEPLOYMENTS.put(ctx, row)
    return row


def make_primary(ctx: Context, service: Body, row: Body) -> None:
    """Let a task set be the one that serves; the one before becomes active. The service takes over its settings, and
    must be written afterwards."""
    for other in task_sets(ctx, service):
        if other["status"] == "PRIMARY" and other["id"] != row["id"]:
            other["status"] = "ACTIVE"
            other["shown"]["updatedAt"] = ctx.now()
            DEPLOYMENTS.put(ctx, other)
    row["status"] = "PRIMARY"
    row["shown"]["updatedAt"] = ctx.now()
    DEPLOYMENTS.put(ctx, row)
    settings = settings_of(ctx, row)
    service["shown"] |= {member: settings.get(member) for member in _OWN}


def settings_of(ctx: Context, row: Body) -> Body:
    """The settings that the task set was made with."""
    revision = REVISIONS.get(ctx, row["clusterName"], row["serviceName"], row["revision"])
    assert revision is not None
    shown: Body = revision["shown"]
    return shown


def computed_count(service: Body, row: Body) -> int:
    """How many tasks the set is to have: its share of the service's desired count, rounded up."""
    if service["status"] == "DRAINING" or row["status"] == "DRAINING":
        return 0
    return math.ceil(service["desiredCount"] * row["taskSet"]["scale"]["value"] / 100)


def described(ctx: Context, service: Body, row: Body, tasks: list[Body]) -> Body:
    """The task set as AWS shows it; `tasks` are the service's."""
    own = [task for task in tasks if task["deployment"] == row["id"]]
    settings = settings_of(ctx, row)
    shown = {
        "id": row["id"],
        "taskSetArn": ctx.arn(f"task-set/{row['clusterName']}/{row['serviceName']}/{row['id']}"),
        "serviceArn": service["shown"]["serviceArn"],
        "clusterArn": service["shown"]["clusterArn"],
        "status": row["status"],
        "computedDesiredCount": computed_count(service, row),
        "pendingCount": pending_count(own),
        "runningCount": running_count(own),
        **row["shown"],
        **{member: settings.get(member) for member in _OWN},
        **{member: value for member, value in row["taskSet"].items() if member not in _INTERNAL},
    }
    return {member: value for member, value in shown.items() if value is not None}
