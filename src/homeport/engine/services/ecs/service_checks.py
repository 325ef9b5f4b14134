"""What CreateService and UpdateService refuse.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError


def check_members(request: Body, done: str) -> None:
    """Raise InvalidParameterException for members that do not go together; `done` is `created` or `updated`."""
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        raise AwsError(
            "InvalidParameterException",
            "Specify either a launch type or a capacity provider strategy, not both.",
        )
    if (
        request.get("healthCheckGracePeriodSeconds")
        and not request.get("loadBalancers")
        and done == "created"
    ):
        raise AwsError(
            "InvalidParameterException",
            "Health check grace period is only valid for services configured to use load balancers",
        )
    if request.get("desiredCount", 0) < 0:
        raise AwsError("InvalidParameterException", "Invalid desired count: it must not be negative.")


def check_role(wanted: bool | None, definition: Body, done: str) -> None:
    """ExecuteCommand needs a role of the task. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"""
    if wanted and not definition.get("taskRoleArn"):
        raise AwsError(
            "InvalidParameterException",
            f"The service couldn't be {done} because a valid taskRoleArn is not being used. Specify a valid task role "
            "in your task definition and try again.",
        )


async def check_load_balancers(ctx: Context, balancers: list[Body], definition: Body) -> None:
    """Raise InvalidParameterException for load balancers that tasks of this definition cannot stand behind."""
    for balancer in balancers:
        group, name, port = (
            balancer.get(key) for key in ("targetGroupArn", "containerName", "containerPort")
        )
        container = next((each for each in definition["containerDefinitions"] if each["name"] == name), None)
        if container is None:
            raise AwsError(
                "InvalidParameterException",
                f"The container {name} does not exist in the task definition.",
            )
        if port not in [each.get("containerPort") for each in container["portMappings"]]:
            raise AwsError(
                "InvalidParameterException",
                f"The container {name} did not have a container port {port} defined.",
            )
        if not group:
            raise AwsError(
                "InvalidParameterException",
                "Classic Load Balancers are not supported: give a targetGroupArn.",
            )
        await _check_target_group(ctx, group, definition)


async def _check_target_group(ctx: Context, arn: str, definition: Body) -> None:
    try:
        answer = await ctx.client("elbv2", as_service=True).describe_target_groups(TargetGroupArns=[arn])
    except AwsError as error:
        raise AwsError(
            "InvalidParameterException",
            f"Unable to assume role and validate the specified targetGroupArn: {error.message}",
        ) from error
    group = answer["TargetGroups"][0]
    if not group.get("LoadBalancerArns"):
        raise AwsError(
            "InvalidParameterException",
            f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
        )
    if definition["networkMode"] == "awsvpc" and group.get("TargetType") != "ip":
        raise AwsError(
            "InvalidParameterException",
            f"The provided target group {arn} has target type {group.get('TargetType')}, which is incompatible with "
            "the awsvpc network mode specified in the task definition.",
        )
