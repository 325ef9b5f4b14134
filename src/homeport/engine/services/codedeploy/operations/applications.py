"""Applications. https://docs.aws.amazon.com/codedeploy/latest/userguide/applications.html"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codedeploy.tables import (
    APPLICATIONS,
    DEPLOYMENTS,
    ENDED,
    GROUPS,
    REVISIONS,
    application,
)
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

PAGE = 100


@operation
async def create_application(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html"""
    name = request["applicationName"]
    platform = request.get("computePlatform", "Server")
    if platform != "ECS":
        raise AwsError(
            "InvalidComputePlatformException",
            f"homeport's CodeDeploy deploys to Amazon ECS only: it does not have the compute platform {platform}. Give "
            "computePlatform ECS.",
        )
    with ctx.store.transaction():
        if APPLICATIONS.get(ctx, name):
            raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
        row = {
            "applicationId": str(uuid.uuid4()),
            "applicationName": name,
            "createTime": ctx.now(),
            "linkedToGitHub": False,
            "computePlatform": platform,
            "tags": request.get("tags", []),
        }
        APPLICATIONS.put(ctx, row)
    return {"applicationId": row["applicationId"]}


@operation
async def get_application(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetApplication.html"""
    return {"application": _shown(application(ctx, request["applicationName"]))}


@operation
async def batch_get_applications(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetApplications.html"""
    return {"applicationsInfo": [_shown(application(ctx, name)) for name in request["applicationNames"]]}


def _shown(row: Body) -> Body:
    return {member: value for member, value in row.items() if member != "tags"}


@operation
async def list_applications(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListApplications.html"""
    names = sorted(row["applicationName"] for row in APPLICATIONS.list(ctx))
    chunk, token = page(names, PAGE, request.get("nextToken"), str)
    return {"applications": chunk, "nextToken": token}


@operation
async def update_application(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateApplication.html"""
    old, new = request["applicationName"], request.get("newApplicationName")
    with ctx.store.transaction():
        row = application(ctx, old)
        if not new or new == old:
            return {}
        if APPLICATIONS.get(ctx, new):
            raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {new}")
        for table in (GROUPS, REVISIONS):
            for each in table.list(ctx, old):
                table.delete(ctx, *(each[field] for field in table.key))
                table.put(ctx, each | {"applicationName": new})
        for each in DEPLOYMENTS.list(ctx, applicationName=old):
            each["applicationName"] = each["info"]["applicationName"] = new
            DEPLOYMENTS.put(ctx, each)
        APPLICATIONS.delete(ctx, old)
        APPLICATIONS.put(ctx, row | {"applicationName": new})
    return {}


@operation
async def delete_application(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeleteApplication.html"""
    name = request["applicationName"]
    with ctx.store.transaction():
        APPLICATIONS.delete(ctx, name)
        for group in GROUPS.list(ctx, name):
            GROUPS.delete(ctx, name, group["deploymentGroupName"])
        for revision in REVISIONS.list(ctx, name):
            REVISIONS.delete(ctx, name, revision["digest"])
        for deployment in DEPLOYMENTS.list(ctx, applicationName=name):
            if deployment["status"] in ENDED:
                DEPLOYMENTS.delete(ctx, deployment["deploymentId"])
    return {}
