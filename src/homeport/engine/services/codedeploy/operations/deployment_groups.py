"""Deployment groups. https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups.html"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codedeploy.configurations import DEFAULT
from homeport.engine.services.codedeploy.groups import SETTINGS, check
from homeport.engine.services.codedeploy.tables import (
    DEPLOYMENTS,
    GROUPS,
    application,
    deployments_of,
    group,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

PAGE = 100
_PASSED = {"serviceRoleArn": "codedeploy.amazonaws.com"}


@operation(pass_role=_PASSED)
async def create_deployment_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html"""
    found = application(ctx, request["applicationName"])
    name = request["deploymentGroupName"]
    _check_free(ctx, request["applicationName"], name)
    row = {
        "applicationName": request["applicationName"],
        "deploymentGroupId": str(uuid.uuid4()),
        "deploymentGroupName": name,
        "computePlatform": found["computePlatform"],
        "deploymentConfigName": DEFAULT,
        "tags": request.get("tags", []),
        **{member: request[member] for member in SETTINGS if member in request},
    }
    await check(ctx, row, request)
    with ctx.store.transaction():
        _check_free(ctx, request["applicationName"], name)
        GROUPS.put(ctx, row)
    return {"deploymentGroupId": row["deploymentGroupId"]}


def _check_free(ctx: Context, application_name: str, name: str) -> None:
    if GROUPS.get(ctx, application_name, name):
        raise AwsError(
            "DeploymentGroupAlreadyExistsException",
            f"Deployment group name already exists: {name} in application {application_name}",
        )


@operation(pass_role=_PASSED)
async def update_deployment_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateDeploymentGroup.html"""
    application_name, old = request["applicationName"], request["currentDeploymentGroupName"]
    new = request.get("newDeploymentGroupName") or old
    row = group(ctx, application_name, old)
    row |= {member: request[member] for member in SETTINGS if member in request}
    await check(ctx, row, request)
    with ctx.store.transaction():
        group(ctx, application_name, old)
        if new != old:
            _check_free(ctx, application_name, new)
            for deployment in deployments_of(ctx, row):
                deployment["deploymentGroupName"] = deployment["info"]["deploymentGroupName"] = new
                DEPLOYMENTS.put(ctx, deployment)
            GROUPS.delete(ctx, application_name, old)
        GROUPS.put(ctx, row | {"deploymentGroupName": new})
    return {"hooksNotCleanedUp": []}


@operation
async def get_deployment_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeploymentGroup.html"""
    row = group(ctx, request["applicationName"], request["deploymentGroupName"])
    return {"deploymentGroupInfo": _shown(ctx, row)}


@operation
async def batch_get_deployment_groups(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentGroups.html"""
    application(ctx, request["applicationName"])
    names = request["deploymentGroupNames"]
    found = [row for name in names if (row := GROUPS.get(ctx, request["applicationName"], name))]
    missing = sorted(set(names) - {row["deploymentGroupName"] for row in found})
    message = f"No Deployment Group found for name: {', '.join(missing)}" if missing else None
    return {"deploymentGroupsInfo": [_shown(ctx, row) for row in found], "errorMessage": message}


def _shown(ctx: Context, row: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html"""
    shown = {member: value for member, value in row.items() if member != "tags"}
    deployments = deployments_of(ctx, row)
    succeeded = [each for each in deployments if each["status"] == "Succeeded"]
    if deployments:
        shown["lastAttemptedDeployment"] = _last(deployments[0])
    if succeeded:
        shown["lastSuccessfulDeployment"] = _last(succeeded[0])
        shown["targetRevision"] = succeeded[0]["info"].get("revision")
    return {member: value for member, value in shown.items() if value is not None}


def _last(deployment: Body) -> Body:
    info = deployment["info"]
    shown = {
        "deploymentId": deployment["deploymentId"],
        "status": deployment["status"],
        "createTime": info["createTime"],
        "endTime": info.get("completeTime"),
    }
    return {member: value for member, value in shown.items() if value is not None}


@operation
async def list_deployment_groups(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentGroups.html"""
    application(ctx, request["applicationName"])
    names = [row["deploymentGroupName"] for row in GROUPS.list(ctx, request["applicationName"])]
    chunk, token = page(sorted(names), PAGE, request.get("nextToken"), str)
    return {
        "applicationName": request["applicationName"],
        "deploymentGroups": chunk,
        "nextToken": token,
    }


@operation
async def delete_deployment_group(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeleteDeploymentGroup.html"""
    GROUPS.delete(ctx, request["applicationName"], request["deploymentGroupName"])
    return {"hooksNotCleanedUp": []}
