"""Scalable targets: ECS services whose desired count follows policies and schedules.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from homeport.engine.services.applicationautoscaling.tables import POLICIES, SCHEDULED_ACTIONS, TARGETS
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

DIMENSION = "ecs:service:DesiredCount"
SCALING = "application-autoscaling.target"  # the reconciler
_ROLE = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"


@operation
async def register_scalable_target(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"""
    check_ours(request)
    resource = request["ResourceId"]
    known = TARGETS.get(ctx, resource)
    if known is None:
        missing = [member for member in ("MinCapacity", "MaxCapacity") if member not in request]
        if missing:
            raise AwsError(
                "ValidationException", f"{' and '.join(missing)} must be specified for a new scalable target"
            )
        await capacity(ctx, resource)  # the service must exist
    with ctx.store.transaction():
        body = TARGETS.get(ctx, resource) or {
            "ServiceNamespace": "ecs",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "RoleARN": ctx.arn(f"role/{_ROLE}", service="iam", region=""),
            "CreationTime": ctx.now(),
            "ScalableTargetARN": ctx.arn(f"scalable-target/{secrets.token_hex(18)}"),
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": False,
                "ScheduledScalingSuspended": False,
            },
            "tags": {},
            "scaledOut": 0.0,
            "scaledIn": 0.0,
        }
        body |= {member: request[member] for member in ("MinCapacity", "MaxCapacity") if member in request}
        body["SuspendedState"] |= request.get("SuspendedState", {})
        body["tags"] |= request.get("Tags", {})
        if not 0 <= body["MinCapacity"] <= body["MaxCapacity"]:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        TARGETS.put(ctx, body)
        ctx.wake(SCALING, resource)
    return {"ScalableTargetARN": body["ScalableTargetARN"]}


@operation
async def describe_scalable_targets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html"""
    found = TARGETS.list(ctx) if request["ServiceNamespace"] == "ecs" else []
    if request.get("ResourceIds"):
        found = [body for body in found if body["ResourceId"] in request["ResourceIds"]]
    return paged("ScalableTargets", found, request, "ResourceId")


@operation
async def deregister_scalable_target(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html"""
    resource = find(ctx, request)["ResourceId"]
    policies = POLICIES.list(ctx, resource)
    with ctx.store.transaction():
        TARGETS.delete(ctx, resource)
        for policy in policies:
            POLICIES.delete(ctx, resource, policy["PolicyName"])
        for action in SCHEDULED_ACTIONS.list(ctx, resource):
            SCHEDULED_ACTIONS.delete(ctx, resource, action["ScheduledActionName"])
    names = [alarm["AlarmName"] for policy in policies for alarm in policy["Alarms"]]
    if names:
        await ctx.client("cloudwatch", as_service=True).delete_alarms(AlarmNames=names)
    return {}


@operation
async def tag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TagResource.html"""
    with ctx.store.transaction():
        body = _by_arn(ctx, request["ResourceARN"])
        body["tags"] |= request["Tags"]
        if len(body["tags"]) > 50:
            raise AwsError("TooManyTagsException", "A scalable target can have at most 50 tags")
        TARGETS.put(ctx, body)
    return {}


@operation
async def untag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_UntagResource.html"""
    with ctx.store.transaction():
        body = _by_arn(ctx, request["ResourceARN"])
        body["tags"] = {key: value for key, value in body["tags"].items() if key not in request["TagKeys"]}
        TARGETS.put(ctx, body)
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ListTagsForResource.html"""
    return {"Tags": _by_arn(ctx, request["ResourceARN"])["tags"]}


def find(ctx: Context, request: Body) -> Body:
    """The scalable target that a request names. Raises ObjectNotFoundException."""
    check_ours(request)
    body = TARGETS.get(ctx, request["ResourceId"])
    if body is None:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: ecs, resource ID: {request['ResourceId']}, "
            f"scalable dimension: {DIMENSION}",
        )
    return body


def check_ours(request: Body) -> None:
    """Raise unless the request is about an ECS service's desired count."""
    if request["ServiceNamespace"] != "ecs" or request.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise AwsError(
            "ValidationException",
            f"homeport scales ECS services ({DIMENSION}) only, not {request['ServiceNamespace']} "
            f"{request.get('ScalableDimension', '')}".rstrip(),
        )
    if not re.fullmatch(r"service/[^/]+/[^/]+", request["ResourceId"]):
        raise AwsError("ValidationException", f"Unsupported ECS resource ID: {request['ResourceId']}")


async def capacity(ctx: Context, resource: str) -> int:
    """The desired count of the service now. Raises ValidationException when there is no such service."""
    _, cluster, service = resource.split("/")
    try:
        answer = await ctx.client("ecs", as_service=True).describe_services(
            cluster=cluster, services=[service]
        )
        services = [each for each in answer["services"] if each["status"] == "ACTIVE"]
    except AwsError as error:
        raise AwsError(
            "ValidationException", f"ECS service doesn't exist: {resource}: {error.message}"
        ) from error
    if not services:
        raise AwsError("ValidationException", f"ECS service doesn't exist: {resource}")
    return int(services[0]["desiredCount"])


def paged(member: str, found: list[Body], request: Body, key: str) -> Body:
    """One page of a list, as the output of a Describe operation."""
    size = request.get("MaxResults", 50)
    chunk, token = page(
        found, size, request.get("NextToken"), lambda each: each[key], "InvalidNextTokenException"
    )
    return {member: chunk, "NextToken": token} if token else {member: chunk}


def _by_arn(ctx: Context, arn: str) -> Body:
    for body in TARGETS.list(ctx):
        if body["ScalableTargetARN"] == arn:
            return body
    raise AwsError("ResourceNotFoundException", f"The resource {arn} does not exist", ResourceName=arn)
