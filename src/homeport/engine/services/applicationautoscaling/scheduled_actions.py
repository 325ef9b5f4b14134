"""Scheduled actions: new bounds for the capacity at a given time.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.applicationautoscaling.schedules import next_run
from homeport.engine.services.applicationautoscaling.tables import SCHEDULED_ACTIONS
from homeport.engine.services.applicationautoscaling.targets import DIMENSION, SCALING, find, paged
from homeport.engine.services.context import Context
from homeport.engine.services.events.schedules import InvalidSchedule
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def put_scheduled_action(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html"""
    resource, name = find(ctx, request)["ResourceId"], request["ScheduledActionName"]
    with ctx.store.transaction():
        known = SCHEDULED_ACTIONS.get(ctx, resource, name)
        if known is None and "Schedule" not in request:
            raise AwsError("ValidationException", "A schedule must be specified for a new scheduled action")
        arn = ctx.arn(
            f"scheduledAction:{uuid.uuid4()}:resource/ecs/{resource}:scheduledActionName/{name}",
            service="autoscaling",
        )
        body: Body = {"ScheduledActionARN": arn, "CreationTime": ctx.now(), **(known or {})}
        body |= {
            "ScheduledActionName": name,
            "ServiceNamespace": "ecs",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
        }
        for member in ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"):
            if member in request:
                body[member] = request[member]
        if not body.get("ScalableTargetAction"):
            raise AwsError("ValidationException", "A minimum or maximum capacity must be specified")
        try:
            SCHEDULED_ACTIONS.put(ctx, {**body, "next": following(body, ctx.now())})
        except InvalidSchedule as error:
            raise AwsError("ValidationException", f"Invalid schedule {body['Schedule']}: {error}") from None
        ctx.wake(SCALING, resource)
    return {}


@operation
async def describe_scheduled_actions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScheduledActions.html"""
    resource = [request["ResourceId"]] if "ResourceId" in request else []
    found = SCHEDULED_ACTIONS.list(ctx, *resource) if request["ServiceNamespace"] == "ecs" else []
    if request.get("ScheduledActionNames"):
        found = [body for body in found if body["ScheduledActionName"] in request["ScheduledActionNames"]]
    found.sort(key=lambda body: body["ScheduledActionARN"])
    return paged("ScheduledActions", found, request, "ScheduledActionARN")


@operation
async def delete_scheduled_action(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeleteScheduledAction.html"""
    resource = find(ctx, request)["ResourceId"]
    if not SCHEDULED_ACTIONS.delete(ctx, resource, request["ScheduledActionName"]):
        raise AwsError(
            "ObjectNotFoundException",
            f"No scheduled action found: {request['ScheduledActionName']} for {resource}",
        )
    return {}


def following(action: Body, after: float) -> float | None:
    """When the action runs next, within its start and end times."""
    after = max(after, action.get("StartTime", 0.0) - 1)
    moment = next_run(action["Schedule"], action.get("Timezone", "UTC"), after, action["CreationTime"])
    return moment if moment is not None and moment <= action.get("EndTime", moment) else None
