"""Checking what a deployment group is to be, as CodeDeploy does for the compute platform ECS.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-create-ecs.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.configurations import configuration
from homeport.engine.services.codedeploy.tables import GROUPS
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

SETTINGS = (
    "deploymentConfigName",
    "serviceRoleArn",
    "triggerConfigurations",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "deploymentStyle",
    "outdatedInstancesStrategy",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
    "ecsServices",
)
_OF_INSTANCES = (
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "ec2TagSet",
    "onPremisesTagSet",
)
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_MOST = 10
"""Alarms and triggers of a group, at most."""


async def check(ctx: Context, row: Body, request: Body) -> None:
    """Raise AWS's error for a group that cannot deploy an ECS service. `row` is the group with what the request
    changes."""
    _check_members(row, request)
    _check_balancer(row)
    _check_watchers(row)
    configuration(ctx, row["deploymentConfigName"])
    await _check_service(ctx, row)


def _check_members(row: Body, request: Body) -> None:
    for member in _OF_INSTANCES:
        if request.get(member):
            raise AwsError(
                "InvalidInputException", f"For ECS deployment group, {member} can not be specified"
            )
    if row.get("deploymentStyle") != _STYLE:
        raise AwsError(
            "InvalidDeploymentStyleException",
            "For ECS deployment, the deployment type must be BLUE_GREEN, and deployment option must be "
            "WITH_TRAFFIC_CONTROL.",
        )
    blue_green = row.get("blueGreenDeploymentConfiguration")
    if not blue_green:
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "For ECS deployment group, blueGreenDeploymentConfiguration must be specified",
        )
    termination = blue_green.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    ready = blue_green.get("deploymentReadyOption") or {}
    waits = (termination.get("terminationWaitTimeInMinutes", 0), ready.get("waitTimeInMinutes", 0))
    if termination.get("action", "TERMINATE") != "TERMINATE" or not all(0 <= each <= 2880 for each in waits):
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "For ECS deployment group, terminateBlueInstancesOnDeploymentSuccess must have the action TERMINATE, and "
            "wait times must be between 0 and 2880 minutes",
        )
    if ready.get("actionOnTimeout") == "STOP_DEPLOYMENT" and not ready.get("waitTimeInMinutes"):
        raise AwsError(
            "InvalidBlueGreenDeploymentConfigurationException",
            "A deploymentReadyOption with the action STOP_DEPLOYMENT must have waitTimeInMinutes",
        )


def _check_balancer(row: Body) -> None:
    info = row.get("loadBalancerInfo")
    if not info:
        raise AwsError(
            "InvalidLoadBalancerInfoException", "For ECS deployment group, loadBalancerInfo must be specified"
        )
    for member, words in (("elbInfoList", "elbInfo"), ("targetGroupInfoList", "targetGroupInfo")):
        if info.get(member):
            raise AwsError(
                "InvalidLoadBalancerInfoException",
                f"For ECS deployment group, loadBalancerInfo must not contain {words} list",
            )
    pairs = info.get("targetGroupPairInfoList") or []
    if len(pairs) != 1 or len(pairs[0].get("targetGroups", [])) != 2:
        raise AwsError(
            "InvalidTargetGroupPairException",
            "For ECS deployment group, loadBalancerInfo must have one target group pair of exactly two target groups",
        )
    routes = [
        (pairs[0].get(name) or {}).get("listenerArns", [])
        for name in ("prodTrafficRoute", "testTrafficRoute")
    ]
    if len(routes[0]) != 1 or len(routes[1]) > 1:
        raise AwsError(
            "InvalidTargetGroupPairException",
            "The target group pair must have exactly one listener as its prodTrafficRoute, and at most one as its "
            "testTrafficRoute",
        )


def _check_watchers(row: Body) -> None:
    alarms = row.get("alarmConfiguration") or {}
    if alarms.get("enabled") and not alarms.get("alarms"):
        raise AwsError("InvalidAlarmConfigException", "The alarm configuration is enabled and names no alarm")
    if len(alarms.get("alarms") or []) > _MOST:
        raise AwsError("AlarmsLimitExceededException", f"A deployment group has at most {_MOST} alarms")
    rollback = row.get("autoRollbackConfiguration") or {}
    if rollback.get("enabled") and not rollback.get("events"):
        raise AwsError(
            "InvalidAutoRollbackConfigException", "The automatic rollback is enabled and names no event"
        )
    triggers = row.get("triggerConfigurations") or []
    if len(triggers) > _MOST:
        raise AwsError(
            "TriggerTargetsLimitExceededException", f"A deployment group has at most {_MOST} triggers"
        )
    for trigger in triggers:
        if not all(trigger.get(each) for each in ("triggerName", "triggerTargetArn", "triggerEvents")):
            raise AwsError(
                "InvalidTriggerConfigException", "A trigger must have a name, events and an Amazon SNS topic"
            )


async def _check_service(ctx: Context, row: Body) -> None:
    services = row.get("ecsServices") or []
    if len(services) != 1 or not all(services[0].get(each) for each in ("serviceName", "clusterName")):
        raise AwsError(
            "InvalidECSServiceException",
            "For ECS deployment group, ecsServices must name exactly one service and its cluster",
        )
    cluster, name = services[0]["clusterName"], services[0]["serviceName"]
    for other in GROUPS.list(ctx):
        if other["deploymentGroupId"] != row["deploymentGroupId"] and other["ecsServices"] == services:
            raise AwsError(
                "ECSServiceMappingLimitExceededException",
                "The Amazon ECS service is associated with more than one deployment groups. An Amazon ECS service can "
                "be associated with only one deployment group.",
            )
    unknown = f"Could not load ECS service information for cluster: {cluster}, service: {name}. Cause: "
    try:
        answer = await ctx.client("ecs", role=row["serviceRoleArn"]).describe_services(
            cluster=cluster, services=[name]
        )
    except AwsError as error:
        if "sts:AssumeRole" in error.message:
            raise AwsError(
                "InvalidRoleException",
                "AWS CodeDeploy does not have the permissions required to assume the role "
                f"{row['serviceRoleArn']}.",
            ) from None
        raise AwsError(
            "InvalidECSServiceException",
            f"{unknown}{error.message}",
        ) from None
    found = [each for each in answer["services"] if each["status"] == "ACTIVE"]
    if not found:
        raise AwsError(
            "InvalidECSServiceException",
            f"{unknown}Service not found.",
        )
    if found[0].get("deploymentController", {}).get("type") != "CODE_DEPLOY":
        raise AwsError(
            "InvalidECSServiceException",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        )
