"""Scaling activities: what was changed, and why.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingActivities.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.applicationautoscaling.tables import ACTIVITIES
from homeport.engine.services.applicationautoscaling.targets import DIMENSION, check_ours
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_KEPT = 200


@operation
async def describe_scaling_activities(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalingActivities.html"""
    if "ResourceId" in request:
        check_ours(request)
    resource = [request["ResourceId"]] if "ResourceId" in request else []
    found = ACTIVITIES.list(ctx, *resource) if request["ServiceNamespace"] == "ecs" else []
    newest = sorted(found, key=_newest_first)
    chunk, token = page(newest, request.get("MaxResults", 50), request.get("NextToken"), _newest_first)
    return {"ScalingActivities": chunk, **({"NextToken": token} if token else {})}


async def scale(ctx: Context, resource: str, count: int, cause: str) -> None:
    """Set the service's desired count and write down that it was done, or why it could not be."""
    started = ctx.now()
    _, cluster, service = resource.split("/")
    try:
        await ctx.client("ecs", as_service=True).update_service(
            cluster=cluster, service=service, desiredCount=count
        )
        outcome = (
            "Successful",
            f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
        )
    except AwsError as error:
        outcome = ("Failed", f"Failed to set desired count to {count}: {error.message}")
    with ctx.store.transaction():
        known = ACTIVITIES.list(ctx, resource)
        number = known[-1]["number"] + 1 if known else 1
        body = {
            "number": number,
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "ecs",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired count to {count}.",
            "Cause": cause,
            "StartTime": started,
            "EndTime": ctx.now(),
            "StatusCode": outcome[0],
            "StatusMessage": outcome[1],
        }
        ACTIVITIES.put(ctx, body)
        ACTIVITIES.delete(ctx, resource, number - _KEPT)


def _newest_first(body: Body) -> list[Any]:
    return [-body["StartTime"], body["ResourceId"], -body["number"]]
