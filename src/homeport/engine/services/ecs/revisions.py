"""Service revisions, deployments and service deployments: what a service ran, runs and will run.

A *service revision* is the unchanging description of a version. A *service deployment* brings the service to a
revision, and back when that fails. A *deployment* (`ecs-svc/…`) is the set of tasks of one revision: a service
deployment that rolls back has made two.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.service_rows import digits, revision_arn
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body, timestamp

_SHOWN = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
)
HISTORY_SECONDS = 90 * 24 * 3600.0
"""How long service deployments can be looked at.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/view-service-deployment.html"""
_ALPHABET = string.ascii_letters + string.digits + "-_"


def new_revision(ctx: Context, service: Body, settings: Body, definition: Body) -> Body:
    """Record what the service is to run from now on."""
    id = digits()
    cluster, name = service["clusterName"], service["serviceName"]
    revision = {
        "clusterName": cluster,
        "serviceName": name,
        "id": id,
        "shown": {
            "serviceRevisionArn": revision_arn(ctx, service, id),
            "serviceArn": service["shown"]["serviceArn"],
            "clusterArn": service["shown"]["clusterArn"],
            **{member: settings.get(member) for member in (*_SHOWN, "loadBalancers", "serviceRegistries")},
            "containerImages": [
                {"containerName": container["name"], "image": container["image"]}
                for container in definition["containerDefinitions"]
            ],
            "createdAt": ctx.now(),
        },
    }
    REVISIONS.put(ctx, revision)
    return revision


def new_deployment(
    ctx: Context, service: Body, revision: Body, service_deployment: int, reason: str | None
) -> Body:
    """Make a deployment the primary one; the one before becomes active, which it is until its tasks are gone."""
    cluster, name = service["clusterName"], service["serviceName"]
    for before in DEPLOYMENTS.list(ctx, cluster, name, status="PRIMARY"):
        before["status"] = "ACTIVE"
        before["shown"]["updatedAt"] = ctx.now()
        DEPLOYMENTS.put(ctx, before)
    service["deployments"] += 1
    id = f"ecs-svc/{digits()}"
    deployment = {
        "clusterName": cluster,
        "serviceName": name,
        "number": service["deployments"],
        "id": id,
        "status": "PRIMARY",
        "revision": revision["id"],
        "serviceDeployment": service_deployment,
        "failures": 0,
        "lastFailure": None,
        "resolved": False,
        "shown": {
            **{member: revision["shown"].get(member) for member in _SHOWN},
            "createdAt": ctx.now(),
            "updatedAt": ctx.now(),
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": reason or f"ECS deployment {id} in progress.",
        },
    }
    DEPLOYMENTS.put(ctx, deployment)
    service["failures"], service["retryAt"], service["steady"] = 0, 0.0, False
    emit_deployment(ctx, service, deployment, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS")
    return deployment


def new_service_deployment(ctx: Context, service: Body, revision: Body, sources: list[Body]) -> Body:
    """Record that the service is to go from its revisions (the newest first) to another."""
    cluster, name = service["clusterName"], service["serviceName"]
    _forget_old(ctx, service, revision)
    service["serviceDeployments"] += 1
    id = "".join(secrets.choice(_ALPHABET) for _ in range(21))
    row = {
        "clusterName": cluster,
        "serviceName": name,
        "number": service["serviceDeployments"],
        "id": id,
        "status": "PENDING",
        "revision": revision["id"],
        "sources": [source["revision"] for source in sources],
        "shown": {
            "serviceDeploymentArn": ctx.arn(f"service-deployment/{cluster}/{name}/{id}"),
            "serviceArn": service["shown"]["serviceArn"],
            "clusterArn": service["shown"]["clusterArn"],
            "createdAt": ctx.now(),
            "startedAt": ctx.now(),
            "updatedAt": ctx.now(),
            "deploymentConfiguration": service["shown"]["deploymentConfiguration"],
        },
    }
    row["status"] = "IN_PROGRESS"
    SERVICE_DEPLOYMENTS.put(ctx, row)
    return row


def _forget_old(ctx: Context, service: Body, coming: Body) -> None:
    """Delete the service deployments of long ago, and what only they had; `coming` is the revision to be deployed."""
    key = service["clusterName"], service["serviceName"]
    rows = SERVICE_DEPLOYMENTS.list(ctx, *key)
    old = {row["number"] for row in rows if row["shown"]["createdAt"] < ctx.now() - HISTORY_SECONDS}
    if not old:
        return
    for number in old:
        SERVICE_DEPLOYMENTS.delete(ctx, *key, number)
    used = {row["revision"] for row in rows if row["number"] not in old} | {coming["id"]}
    if last := service["lastCompleted"]:
        used.add(last["revision"])
    for deployment in DEPLOYMENTS.list(ctx, *key):
        if deployment["status"] == "INACTIVE" and deployment.get("serviceDeployment") in old:
            DEPLOYMENTS.delete(ctx, *key, deployment["number"])
        else:
            used.add(deployment["revision"])
    for revision in REVISIONS.list(ctx, *key):
        if revision["id"] not in used:
            REVISIONS.delete(ctx, *key, revision["id"])


def end_service_deployment(
    ctx: Context, service: Body, number: int, status: str, reason: str | None = None
) -> None:
    """Bring a service deployment to another state; end states get their time."""
    row = SERVICE_DEPLOYMENTS.get(ctx, service["clusterName"], service["serviceName"], number)
    if row is None or row["status"] in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"):
        return
    row["status"] = status
    row["shown"]["updatedAt"] = ctx.now()
    if reason:
        row["shown"]["statusReason"] = reason
    if status in ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"):
        row["shown"]["finishedAt"] = ctx.now()
    if status == "STOPPED":
        row["shown"]["stoppedAt"] = row["shown"]["finishedAt"] = ctx.now()
    SERVICE_DEPLOYMENTS.put(ctx, row)


def targets_of(revision: Body) -> list[Body]:
    """What the tasks of a revision are targets of: target group, container, port, and the role as which ECS
    registers them, if the service names one."""
    return [
        {
            "targetGroupArn": group_of(revision, at),
            "containerName": balancer.get("containerName"),
            "containerPort": balancer.get("containerPort"),
            "roleArn": (balancer.get("advancedConfiguration") or {}).get("roleArn"),
        }
        for at, balancer in enumerate(revision["shown"].get("loadBalancers") or [])
    ]


def group_of(revision: Body, at: int) -> str | None:
    """The target group that the revision's tasks are in, by its load balancer entry of that number: the one that
    was resolved when it was deployed, of the entry's two."""
    resolved = (revision["shown"].get("resolvedConfiguration") or {}).get("loadBalancers") or []
    if at < len(resolved):
        found: str = resolved[at]["targetGroupArn"]
        return found
    balancers = revision["shown"].get("loadBalancers") or []
    return balancers[at].get("targetGroupArn") if at < len(balancers) else None


def resolve_groups(ctx: Context, revision: Body, groups: list[tuple[str, str]]) -> None:
    """Record which target group, behind which production rule, each load balancer entry of the revision uses.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceRevisionLoadBalancer.html"""
    revision["shown"]["resolvedConfiguration"] = {
        "loadBalancers": [{"targetGroupArn": group, "productionListenerRule": rule} for group, rule in groups]
    }
    REVISIONS.put(ctx, revision)


def keep_groups(ctx: Context, revision: Body, before: Body) -> None:
    """A rolling deployment leaves its tasks in the target groups that serve, where the entries are the same."""
    balancers = revision["shown"].get("loadBalancers") or []
    resolved = (before["shown"].get("resolvedConfiguration") or {}).get("loadBalancers")
    if resolved and balancers == before["shown"].get("loadBalancers"):
        groups = [(each["targetGroupArn"], each["productionListenerRule"]) for each in resolved]
        resolve_groups(ctx, revision, groups)


def digests(revision: Body) -> dict[str, str]:
    """The digests that the images of the revision mean, by container."""
    return {
        image["containerName"]: image["imageDigest"]
        for image in revision["shown"]["containerImages"]
        if image.get("imageDigest")
    }


def record_digests(ctx: Context, revision: Body, found: dict[str, str]) -> None:
    """Let all later tasks of the revision run the same images, whatever becomes of their tags."""
    for image in revision["shown"]["containerImages"]:
        if image["containerName"] in found:
            image.setdefault("imageDigest", found[image["containerName"]])
    REVISIONS.put(ctx, revision)


def emit_deployment(ctx: Context, service: Body, deployment: Body, kind: str, name: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html

    Whoever waits for the topic `ecs.deployment:<id>` is notified.
    """
    ctx.notify(f"ecs.deployment:{deployment['id']}")
    detail: dict[str, Any] = {
        "eventType": kind,
        "eventName": name,
        "deploymentId": deployment["id"],
        "updatedAt": timestamp(deployment["shown"]["updatedAt"]),
        "reason": deployment["shown"]["rolloutStateReason"],
    }
    ctx.emit("aws.ecs", "ECS Deployment State Change", detail, [service["shown"]["serviceArn"]])
