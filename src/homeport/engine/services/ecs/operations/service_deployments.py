"""Service deployments and service revisions.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.circuit_breaker import threshold
from homeport.engine.services.ecs.names import service_key
from homeport.engine.services.ecs.service_rows import STARTING, alive, save_service
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS, SERVICES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_RUNNING = ("PENDING", "IN_PROGRESS", "ROLLBACK_REQUESTED", "STOP_REQUESTED", "ROLLBACK_IN_PROGRESS")


@operation
async def list_service_deployments(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html"""
    key = service_key(request.get("cluster"), request["service"])
    if SERVICES.get(ctx, *key) is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    rows = SERVICE_DEPLOYMENTS.list(ctx, *key)
    if request.get("status"):
        rows = [row for row in rows if row["status"] in request["status"]]
    created = request.get("createdAt", {})
    rows = [
        row
        for row in rows
        if created.get("after", 0) <= row["shown"]["createdAt"] <= created.get("before", float("inf"))
    ]
    rows.sort(key=lambda row: -row["number"])
    chunk, token = page(
        rows,
        request.get("maxResults", 20),
        request.get("nextToken"),
        lambda row: -row["number"],
        "InvalidParameterException",
    )
    return {"serviceDeployments": [_brief(ctx, row) for row in chunk], "nextToken": token}


def _brief(ctx: Context, row: Body) -> Body:
    members = (
        "serviceDeploymentArn",
        "serviceArn",
        "clusterArn",
        "startedAt",
        "createdAt",
        "finishedAt",
        "statusReason",
    )
    return {
        **{member: row["shown"][member] for member in members if row["shown"].get(member)},
        "targetServiceRevisionArn": _revision_arn(ctx, row, row["revision"]),
        "status": row["status"],
    }


@operation
async def describe_service_deployments(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html"""
    found, failures = [], []
    for arn in request["serviceDeploymentArns"]:
        row = _find(ctx, arn)
        if row is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(_described(ctx, row))
    return {"serviceDeployments": found, "failures": failures}


def _described(ctx: Context, row: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html"""
    service = SERVICES.get(ctx, row["clusterName"], row["serviceName"])
    assert service is not None
    tasks = alive(ctx, service)
    configuration = row["shown"]["deploymentConfiguration"]
    breaker = configuration.get("deploymentCircuitBreaker") or {"enable": False}
    own = [
        deployment
        for deployment in DEPLOYMENTS.list(ctx, row["clusterName"], row["serviceName"])
        if deployment["serviceDeployment"] == row["number"]
    ]
    rolled_back = row["status"].startswith("ROLLBACK") or bool(row["shown"].get("rollback"))
    failures = own[0]["failures"] if own else 0
    status = "DISABLED"
    if breaker.get("enable"):
        status = (
            "TRIGGERED"
            if rolled_back
            else "MONITORING"
            if row["status"] in _RUNNING
            else "MONITORING_COMPLETE"
        )
    return {
        **row["shown"],
        "status": row["status"],
        "lifecycleStage": "SCALE_UP" if row["status"] in _RUNNING else "CLEAN_UP",
        "sourceServiceRevisions": [_summary(ctx, row, source, service, tasks) for source in row["sources"]],
        "targetServiceRevision": _summary(ctx, row, row["revision"], service, tasks),
        "deploymentCircuitBreaker": {
            "status": status,
            "failureCount": failures,
            "threshold": threshold(breaker, service["desiredCount"]),
        },
    }


def _summary(ctx: Context, row: Body, revision: str, service: Body, tasks: list[Body]) -> Body:
    ids = {
        deployment["id"]
        for deployment in DEPLOYMENTS.list(ctx, row["clusterName"], row["serviceName"])
        if deployment["revision"] == revision
    }
    own = [task for task in tasks if task["deployment"] in ids]
    return {
        "arn": _revision_arn(ctx, row, revision),
        "requestedTaskCount": service["desiredCount"] if revision == row["revision"] else 0,
        "runningTaskCount": sum(task["lastStatus"] == "RUNNING" for task in own),
        "pendingTaskCount": sum(task["lastStatus"] in STARTING for task in own),
    }


def _revision_arn(ctx: Context, row: Body, revision: str) -> str:
    return ctx.arn(f"service-revision/{row['clusterName']}/{row['serviceName']}/{revision}")


@operation
async def describe_service_revisions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceRevisions.html"""
    found, failures = [], []
    for arn in request["serviceRevisionArns"]:
        revision = REVISIONS.get(ctx, *arn.split("/")[1:4]) if arn.count("/") == 3 else None
        if revision is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            shown = {key: value for key, value in revision["shown"].items() if value is not None}
            found.append(shown)
    return {"serviceRevisions": found, "failures": failures}


@operation
async def stop_service_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html"""
    arn = request["serviceDeploymentArn"]
    with ctx.store.transaction():
        row = _find(ctx, arn)
        if row is None:
            raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")
        if row["status"] not in ("PENDING", "IN_PROGRESS"):
            raise AwsError(
                "ConflictException",
                f"The service deployment is {row['status']}: only one that is PENDING or IN_PROGRESS can be stopped.",
            )
        service = SERVICES.get(ctx, row["clusterName"], row["serviceName"])
        assert service is not None
        kind = request.get("stopType", "ROLLBACK")
        if kind == "ROLLBACK" and not service["lastCompleted"]:
            raise AwsError(
                "InvalidParameterException",
                "There is no completed deployment to roll back to: use the stop type ABORT.",
            )
        row["status"] = "ROLLBACK_REQUESTED" if kind == "ROLLBACK" else "STOP_REQUESTED"
        SERVICE_DEPLOYMENTS.put(ctx, row)
        service["stopRequested"] = kind
        save_service(ctx, service)
    return {"serviceDeploymentArn": arn}


def _find(ctx: Context, arn: str) -> Body | None:
    parts = arn.split("/")
    if len(parts) != 4:
        return None
    rows = SERVICE_DEPLOYMENTS.list(ctx, parts[1], parts[2], id=parts[3])
    return rows[0] if rows else None
