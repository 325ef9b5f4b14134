"""Deployment targets. https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentTarget.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.tables import deployment
from homeport.engine.services.codedeploy.targets import described, target_id
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def get_deployment_target(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeploymentTarget.html"""
    row = deployment(ctx, request["deploymentId"])
    _check(row, request["targetId"])
    return {"deploymentTarget": await described(ctx, row)}


@operation
async def batch_get_deployment_targets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentTargets.html"""
    row = deployment(ctx, request["deploymentId"])
    for id in request["targetIds"]:
        _check(row, id)
    return {"deploymentTargets": [await described(ctx, row) for _ in request["targetIds"]]}


@operation
async def list_deployment_targets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html"""
    row = deployment(ctx, request["deploymentId"])
    wanted = request.get("targetFilters", {}).get("TargetStatus")
    shown = wanted is None or row["target"]["status"] in wanted
    return {"targetIds": [target_id(row)] if shown else []}


def _check(row: Body, id: str) -> None:
    if id != target_id(row):
        raise AwsError(
            "DeploymentTargetDoesNotExistException",
            f"The deployment {row['deploymentId']} has no target {id}: it has {target_id(row)}",
        )
