"""Capacity providers: FARGATE and FARGATE_SPOT, which every account has.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.capacity import PROVIDERS
from homeport.engine.services.ecs.names import find_cluster
from homeport.engine.services.service import operation

Body = dict[str, Any]


@operation
async def describe_capacity_providers(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeCapacityProviders.html"""
    named = [each.rpartition("/")[2] for each in request.get("capacityProviders") or PROVIDERS]
    return {
        "capacityProviders": [
            {"capacityProviderArn": _arn(ctx, name), "name": name, "status": "ACTIVE"}
            for name in named
            if name in PROVIDERS
        ],
        "failures": [
            {"arn": _arn(ctx, name), "reason": "MISSING"} for name in named if name not in PROVIDERS
        ],
    }


def _arn(ctx: Context, name: str) -> str:
    return ctx.arn(f"capacity-provider/{name}")


@operation
async def list_container_instances(ctx: Context, request: Body) -> Body:
    """There are none: tasks run as on Fargate.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListContainerInstances.html"""
    find_cluster(ctx, request.get("cluster"))
    return {"containerInstanceArns": []}
