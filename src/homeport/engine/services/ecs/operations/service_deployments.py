"""Service deployments and service revisions.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html"""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.circuit_breaker import threshold
from homeport.engine.services.ecs.deployments import hooks
from homeport.engine.services.ecs.deployments.scaling import shifts, wanted
from homeport.engine.services.ecs.deployments.shift import topic
from homeport.engine.services.ecs.names import service_key
from homeport.engine.services.ecs.service_rows import REVOCABLE, STARTING, alive, revision_arn, save_service
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS, SERVICES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_RUNNING = (*REVOCABLE, "ROLLBACK_IN_PROGRESS")


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
        "targetServiceRevisionArn": revision_arn(ctx, row, row["revision"]),
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
    shift = row.get("shift")
    running = "SCALE_UP" if row["status"] in _RUNNING else "CLEAN_UP"
    return {
        **row["shown"],
        "status": row["status"],
        "lifecycleStage": shift["stage"] if shift else running,
        "lifecycleHookDetails": [hooks.shown(hook) for hook in shift["hooks"]] if shift else None,
        "sourceServiceRevisions": [_summary(ctx, row, source, service, tasks) for source in row["sources"]],
        "targetServiceRevision": _summary(ctx, row, row["revision"], service, tasks),
        "deploymentCircuitBreaker": {
            "status": status,
            "failureCount": failures,
            "threshold": threshold(breaker, service["desiredCount"]),
        },
        "alarms": _alarms(row, configuration),
    }


def _alarms(row: Body, configuration: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeploymentAlarms.html"""
    alarms = configuration.get("alarms") or {}
    if not alarms.get("enable"):
        return {"status": "DISABLED"}
    triggered = (row.get("shift") or {}).get("alarms") or []
    monitoring = "MONITORING" if row["status"] in _RUNNING else "MONITORING_COMPLETE"
    return {
        "status": "TRIGGERED" if triggered else monitoring,
        "alarmNames": alarms["alarmNames"],
        "triggeredAlarmNames": triggered,
    }


def _summary(ctx: Context, row: Body, revision: str, service: Body, tasks: list[Body]) -> Body:
    deployments = [
        deployment
        for deployment in DEPLOYMENTS.list(ctx, row["clusterName"], row["serviceName"])
        if deployment["revision"] == revision
    ]
    ids = {deployment["id"] for deployment in deployments}
    own = [task for task in tasks if task["deployment"] in ids]
    target = revision == row["revision"]
    return {
        "arn": revision_arn(ctx, row, revision),
        "requestedTaskCount": _requested(service, deployments, target),
        "runningTaskCount": sum(task["lastStatus"] == "RUNNING" for task in own),
        "pendingTaskCount": sum(task["lastStatus"] in STARTING for task in own),
        **_weights(row, revision, target),
    }


def _requested(service: Body, deployments: list[Body], target: bool) -> int:
    """How many tasks a revision is to have, by the scale of its newest deployment if it has one."""
    if deployments and shifts(deployments[-1]):
        return wanted(service, deployments[-1])
    return service["desiredCount"] if target else 0


def _weights(row: Body, revision: str, target: bool) -> Body:
    """The revision's shares of the traffic; those of the source are what the target does not have."""
    shift = row.get("shift")
    if shift is None:
        return {}
    serves = target or bool(shift["source"] and shift["source"]["revision"] == revision)
    return {
        member: (shift[kind] if target else round(100 - shift[kind], 1)) if serves else 0.0
        for kind, member in (
            ("production", "requestedProductionTrafficWeight"),
            ("test", "requestedTestTrafficWeight"),
        )
    }


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
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html

    One that stops or goes back already continues to do so.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
    """
    arn = request["serviceDeploymentArn"]
    with ctx.store.transaction():
        row = _find(ctx, arn)
        if row is None:
            raise AwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.")
        if row["status"] not in _RUNNING:
            raise AwsError(
                "ConflictException",
                f"The service deployment is {row['status']}: only one that has not ended can be stopped.",
            )
        if row["status"] not in ("PENDING", "IN_PROGRESS"):
            return {"serviceDeploymentArn": arn}
        service = SERVICES.get(ctx, row["clusterName"], row["serviceName"])
        assert service is not None
        kind = request.get("stopType", "ROLLBACK")
        if kind == "ROLLBACK" and not _goes_back(service, row):
            raise AwsError(
                "InvalidParameterException",
                "There is no completed deployment to roll back to: use the stop type ABORT.",
            )
        row["status"] = "ROLLBACK_REQUESTED" if kind == "ROLLBACK" else "STOP_REQUESTED"
        SERVICE_DEPLOYMENTS.put(ctx, row)
        service["stopRequested"] = kind
        save_service(ctx, service)
        ctx.notify(topic(row["clusterName"], row["serviceName"]))
    return {"serviceDeploymentArn": arn}


def _goes_back(service: Body, row: Body) -> bool:
    return bool(row["shift"]["source"] if row.get("shift") else service["lastCompleted"])


@operation
async def continue_service_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html"""
    arn, id = request["serviceDeploymentArn"], request["hookId"]
    if not re.fullmatch(r"ecs-[a-z]+-[\w-]+", id):
        raise AwsError(
            "InvalidParameterException",
            "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}",
        )
    with ctx.store.transaction():
        row = _find(ctx, arn)
        if row is None:
            raise AwsError("ServiceDeploymentNotFoundException", "The service deployment does not exist.")
        if row["status"] not in _RUNNING:
            raise AwsError(
                "InvalidParameterException",
                "Continuing a service deployment is not allowed for service deployment in terminal states.",
            )
        waiting = [
            hook["hookId"]
            for hook in (row.get("shift") or {"hooks": []})["hooks"]
            if hook["status"] == "AWAITING_ACTION"
        ]
        if id not in waiting:
            raise AwsError(
                "InvalidParameterException",
                "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN",
            )
        status = "FAILED" if request.get("action") == "ROLLBACK" else "SUCCEEDED"
        hooks.change(ctx, row, id, status=status)
        ctx.notify(topic(row["clusterName"], row["serviceName"]))
    return {"serviceDeploymentArn": arn}


def _find(ctx: Context, arn: str) -> Body | None:
    parts = arn.split("/")
    if len(parts) != 4:
        return None
    rows = SERVICE_DEPLOYMENTS.list(ctx, parts[1], parts[2], id=parts[3])
    return rows[0] if rows else None
