"""Deployment configurations. https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codedeploy.configurations import PREDEFINED, checked_routing, configuration
from homeport.engine.services.codedeploy.tables import CONFIGS, GROUPS
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

PAGE = 100


@operation
async def create_deployment_config(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentConfig.html"""
    name, platform = request["deploymentConfigName"], request.get("computePlatform", "Server")
    if platform != "ECS":
        raise AwsError(
            "InvalidComputePlatformException",
            f"homeport's CodeDeploy deploys to Amazon ECS only: it does not have the compute platform {platform}. Give "
            "computePlatform ECS.",
        )
    if request.get("minimumHealthyHosts"):
        raise AwsError(
            "InvalidMinimumHealthyHostValueException",
            "minimumHealthyHosts can not be specified for the compute platform ECS.",
        )
    row = {
        "deploymentConfigId": str(uuid.uuid4()),
        "deploymentConfigName": name,
        "createTime": ctx.now(),
        "computePlatform": platform,
        "trafficRoutingConfig": checked_routing(request.get("trafficRoutingConfig", {})),
    }
    with ctx.store.transaction():
        if name.startswith("CodeDeployDefault.") or CONFIGS.get(ctx, name):
            raise AwsError(
                "DeploymentConfigAlreadyExistsException",
                f"A deployment configuration with the name {name} already exists",
            )
        CONFIGS.put(ctx, row)
    return {"deploymentConfigId": row["deploymentConfigId"]}


@operation
async def get_deployment_config(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeploymentConfig.html"""
    return {"deploymentConfigInfo": configuration(ctx, request["deploymentConfigName"])}


@operation
async def list_deployment_configs(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentConfigs.html"""
    names = sorted([*PREDEFINED, *(row["deploymentConfigName"] for row in CONFIGS.list(ctx))])
    chunk, token = page(names, PAGE, request.get("nextToken"), str)
    return {"deploymentConfigsList": chunk, "nextToken": token}


@operation
async def delete_deployment_config(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeleteDeploymentConfig.html"""
    name = request["deploymentConfigName"]
    if name in PREDEFINED:
        raise AwsError(
            "InvalidOperationException", f"The predefined deployment configuration {name} cannot be deleted"
        )
    with ctx.store.transaction():
        if any(group["deploymentConfigName"] == name for group in GROUPS.list(ctx)):
            raise AwsError(
                "DeploymentConfigInUseException", f"The deployment configuration {name} is still in use"
            )
        CONFIGS.delete(ctx, name)
    return {}
