"""Scaling policies, and the CloudWatch alarms that a target tracking policy keeps.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.applicationautoscaling.metrics import specification
from homeport.engine.services.applicationautoscaling.steps import check_steps
from homeport.engine.services.applicationautoscaling.tables import POLICIES
from homeport.engine.services.applicationautoscaling.targets import DIMENSION, SCALING, find, paged
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_SCALE_IN_BELOW = 0.9  # of the target value


@operation
async def put_scaling_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html"""
    resource, name = find(ctx, request)["ResourceId"], request["PolicyName"]
    known = POLICIES.get(ctx, resource, name)
    kind = str(request.get("PolicyType", known["PolicyType"] if known else "StepScaling"))
    member = {
        "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
        "StepScaling": "StepScalingPolicyConfiguration",
    }.get(kind)
    if member is None:
        raise AwsError("ValidationException", f"homeport does not carry out policies of type {kind}")
    if member not in request:
        raise AwsError("ValidationException", f"{member} must be specified for a policy of type {kind}")
    if known and known["PolicyType"] != kind:
        raise AwsError("ValidationException", f"The type of the policy {name} cannot be changed to {kind}")
    if kind == "StepScaling":
        check_steps(request[member])
    number = uuid.uuid4()
    body = {
        "PolicyARN": ctx.arn(
            f"scalingPolicy:{number}:resource/ecs/{resource}:policyName/{name}", service="autoscaling"
        ),
        **(known or {"CreationTime": ctx.now(), "Alarms": []}),
        "PolicyName": name,
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": kind,
        member: request[member],
    }
    if kind == "TargetTrackingScaling":
        body["Alarms"] = await _put_alarms(ctx, body)
    with ctx.store.transaction():
        find(ctx, request)
        POLICIES.put(ctx, body)
        ctx.wake(SCALING, resource)
    return {"PolicyARN": body["PolicyARN"], "Alarms": body["Alarms"]}


@operation
async def describe_scaling_policies(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingPolicies.html"""
    resource = [request["ResourceId"]] if "ResourceId" in request else []
    found = POLICIES.list(ctx, *resource) if request["ServiceNamespace"] == "ecs" else []
    if request.get("PolicyNames"):
        found = [body for body in found if body["PolicyName"] in request["PolicyNames"]]
    return paged("ScalingPolicies", sorted(found, key=lambda body: body["PolicyARN"]), request, "PolicyARN")


@operation
async def delete_scaling_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeleteScalingPolicy.html"""
    resource = find(ctx, request)["ResourceId"]
    body = POLICIES.get(ctx, resource, request["PolicyName"])
    if body is None:
        raise AwsError(
            "ObjectNotFoundException", f"No scaling policy found: {request['PolicyName']} for {resource}"
        )
    POLICIES.delete(ctx, resource, request["PolicyName"])
    if body["Alarms"]:
        names = [alarm["AlarmName"] for alarm in body["Alarms"]]
        await ctx.client("cloudwatch", as_service=True).delete_alarms(AlarmNames=names)
    return {}


async def _put_alarms(ctx: Context, policy: Body) -> list[Body]:
    """AWS's two alarms: high for three minutes scales out, low for fifteen scales in."""
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = specification(policy["ResourceId"], config)
    known = {alarm["AlarmName"].split("-Alarm")[1][:3]: alarm["AlarmName"] for alarm in policy["Alarms"]}
    target = config["TargetValue"]
    wanted = [("High", "GreaterThanThreshold", target, 3)]
    if not config.get("DisableScaleIn"):
        wanted.append(("Low", "LessThanThreshold", target * _SCALE_IN_BELOW, 15))
    alarms = []
    cloudwatch = ctx.client("cloudwatch", as_service=True)
    for kind, comparison, threshold, periods in wanted:
        name = known.get(kind[:3]) or f"TargetTracking-{policy['ResourceId']}-Alarm{kind}-{uuid.uuid4()}"
        await cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
            ActionsEnabled=True,
            AlarmActions=[policy["PolicyARN"]],
            **metric,
            EvaluationPeriods=periods,
            Threshold=float(threshold),
            ComparisonOperator=comparison,
        )
        alarms.append({"AlarmName": name, "AlarmARN": ctx.arn(f"alarm:{name}", service="cloudwatch")})
    kept = {alarm["AlarmName"] for alarm in alarms}
    gone = [alarm["AlarmName"] for alarm in policy["Alarms"] if alarm["AlarmName"] not in kept]
    if gone:
        await cloudwatch.delete_alarms(AlarmNames=gone)
    return alarms
