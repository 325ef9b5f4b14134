"""Deployments. https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy import revisions
from homeport.engine.services.codedeploy.configurations import configuration
from homeport.engine.services.codedeploy.deploying import changed_topic
from homeport.engine.services.codedeploy.execution import DEPLOYMENT
from homeport.engine.services.codedeploy.naming import deployment_id
from homeport.engine.services.codedeploy.tables import (
    DEPLOYMENTS,
    ENDED,
    deployment,
    deployments_of,
    group,
)
from homeport.engine.services.codedeploy.targets import new_target
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

PAGE = 100
BATCH = 25


@operation
async def create_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html"""
    if not request.get("deploymentGroupName"):
        raise AwsError("DeploymentGroupNameRequiredException", "Deployment Group name is missing")
    found = group(ctx, request["applicationName"], request["deploymentGroupName"])
    revision = revisions.checked(request.get("revision"))
    name = request.get("deploymentConfigName") or found["deploymentConfigName"]
    routing = configuration(ctx, name)["trafficRoutingConfig"]
    id = deployment_id()
    with ctx.store.transaction():
        before = deployments_of(ctx, found)
        active = next((each for each in before if each["status"] not in ENDED), None)
        if active is not None:
            raise AwsError(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{found['deploymentGroupName']}' already has an active Deployment "
                f"'{active['deploymentId']}'",
            )
        row = {
            "deploymentId": id,
            "applicationName": found["applicationName"],
            "deploymentGroupName": found["deploymentGroupName"],
            "status": "Created",
            "info": _info(ctx, id, found, name, revision, request, before),
            "group": found,
            "routing": routing,
            "alarms": request.get("overrideAlarmConfiguration") or found.get("alarmConfiguration") or {},
            "target": new_target() | {"lastUpdatedAt": ctx.now()},
            "hooks": {},
            "waits": {},
            "stop": None,
            "decision": None,
            "done": [],
        }
        DEPLOYMENTS.put(ctx, row)
        revisions.used(ctx, found["applicationName"], found["deploymentGroupName"], revision)
        ctx.start(DEPLOYMENT, id, {})
    return {"deploymentId": id}


def _info(
    ctx: Context, id: str, found: Body, config: str, revision: Body, request: Body, before: list[Body]
) -> Body:
    info = {
        "applicationName": found["applicationName"],
        "deploymentGroupName": found["deploymentGroupName"],
        "deploymentConfigName": config,
        "deploymentId": id,
        "previousRevision": next(
            (each["info"].get("revision") for each in before if each["status"] == "Succeeded"), None
        ),
        "revision": revision,
        "status": "Created",
        "createTime": ctx.now(),
        "description": request.get("description"),
        "creator": "user",
        "ignoreApplicationStopFailures": False,
        "autoRollbackConfiguration": request.get("autoRollbackConfiguration")
        or found.get("autoRollbackConfiguration")
        or {"enabled": False},
        "updateOutdatedInstancesOnly": False,
        "deploymentStyle": found["deploymentStyle"],
        "instanceTerminationWaitTimeStarted": False,
        "blueGreenDeploymentConfiguration": found["blueGreenDeploymentConfiguration"],
        "loadBalancerInfo": found["loadBalancerInfo"],
        "fileExistsBehavior": "DISALLOW",
        "deploymentStatusMessages": [],
        "computePlatform": "ECS",
        "overrideAlarmConfiguration": request.get("overrideAlarmConfiguration"),
    }
    return {member: value for member, value in info.items() if value is not None}


@operation
async def get_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    return {"deploymentInfo": _shown(deployment(ctx, request["deploymentId"]))}


@operation
async def batch_get_deployments(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeployments.html"""
    ids = request["deploymentIds"]
    if len(ids) > BATCH:
        raise AwsError("BatchLimitExceededException", f"At most {BATCH} deployments can be asked for at once")
    found = [row for id in ids if (row := DEPLOYMENTS.get(ctx, id))]
    return {"deploymentsInfo": [_shown(row) for row in found]}


def _shown(row: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
    counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
    counts[row["target"]["status"]] += 1
    return {**row["info"], "deploymentOverview": counts}


@operation
async def list_deployments(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html"""
    name, group_name = request.get("applicationName"), request.get("deploymentGroupName")
    if group_name and not name:
        raise AwsError("ApplicationNameRequiredException", "Application name is missing")
    if name and not group_name:
        raise AwsError("DeploymentGroupNameRequiredException", "Deployment Group name is missing")
    rows = deployments_of(ctx, group(ctx, name, group_name)) if name and group_name else DEPLOYMENTS.list(ctx)
    if external := request.get("externalId"):
        rows = [row for row in rows if row["info"].get("externalId") == external]
    if request.get("includeOnlyStatuses"):
        rows = [row for row in rows if row["status"] in request["includeOnlyStatuses"]]
    times = request.get("createTimeRange", {})
    start, end = _seconds(times.get("start"), 0.0), _seconds(times.get("end"), float("inf"))
    if start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must be earlier than the end time.")
    keyed = sorted(
        (-row["info"]["createTime"], row["deploymentId"])
        for row in rows
        if start <= row["info"]["createTime"] <= end
    )
    chunk, token = page(keyed, PAGE, request.get("nextToken"), lambda item: item)
    return {"deployments": [id for _, id in chunk], "nextToken": token}


def _seconds(value: Any, default: float) -> float:
    if value is None:
        return default
    return float(value.timestamp() if hasattr(value, "timestamp") else value)


@operation
async def stop_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html"""
    with ctx.store.transaction():
        row = _active(ctx, request["deploymentId"])
        if stack := row["info"].get("externalId"):
            raise AwsError(
                "UnsupportedActionForDeploymentTypeException",
                f"The deployment {row['deploymentId']} coordinates the update of a stack: to stop it and roll it back, "
                f"cancel the update of {stack} in CloudFormation.",
            )
        if row["stop"] is None:
            row["stop"] = {"rollback": request.get("autoRollbackEnabled")}
            DEPLOYMENTS.put(ctx, row)
        reason = f"The deployment was stopped manually by {ctx.principal.arn}."
        ctx.request_stop(DEPLOYMENT, row["deploymentId"], reason)
    return {"status": "Pending", "statusMessage": "The deployment is being stopped."}


@operation
async def continue_deployment(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ContinueDeployment.html"""
    _continue(ctx, request["deploymentId"], request.get("deploymentWaitType", "READY_WAIT"))
    return {}


@operation
async def skip_wait_time_for_instance_termination(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_SkipWaitTimeForInstanceTermination.html"""
    _continue(ctx, request["deploymentId"], "TERMINATION_WAIT")
    return {}


def _continue(ctx: Context, id: str, wait: str) -> None:
    with ctx.store.transaction():
        row = _active(ctx, id)
        if row["waits"].get(wait) not in ("waiting", "continued"):
            raise AwsError(
                "DeploymentIsNotInReadyStateException",
                f"The deployment {id} does not wait for {wait}: its status is {row['status']}",
            )
        row["waits"][wait] = "continued"
        DEPLOYMENTS.put(ctx, row)
        ctx.notify(changed_topic(id))


def _active(ctx: Context, id: str) -> Body:
    row = deployment(ctx, id)
    if row["status"] in ENDED:
        raise AwsError(
            "DeploymentAlreadyCompletedException",
            f"Deployment {id} is already in a terminal state: {row['status']}",
        )
    return row
