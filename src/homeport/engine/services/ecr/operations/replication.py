"""Replication of the registry."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_image, find_repository
from homeport.engine.services.ecr.replication import REPLICATION
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.settings import read_setting, write_setting
from homeport.engine.services.ecr.tables import REPLICATIONS
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def describe_registry(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRegistry.html"""
    configuration = read_setting(ctx, REPLICATION).get("replicationConfiguration") or {"rules": []}
    return {"registryId": ctx.scope.account, "replicationConfiguration": configuration}


@operation
async def put_replication_configuration(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html"""
    configuration = request["replicationConfiguration"]
    for rule in configuration["rules"]:
        if {"region": ctx.scope.region, "registryId": ctx.scope.account} in rule["destinations"]:
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'the registry "
                "cannot be its own destination'",
            )
    write_setting(ctx, REPLICATION, replicationConfiguration=configuration)
    return {"replicationConfiguration": configuration}


@operation
async def describe_image_replication_status(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageReplicationStatus.html"""
    ctx, name, image_id = registry_of(ctx, request), request["repositoryName"], request["imageId"]
    find_repository(ctx, name)
    image = find_image(ctx, name, image_id.get("imageDigest"), image_id.get("imageTag"))
    statuses = []
    for row in REPLICATIONS.list(ctx, name, image["imageDigest"]):
        status = {"region": row["destination"], "registryId": row["registryId"], "status": row["status"]}
        statuses.append(status | ({"failureCode": row["failureCode"]} if row["failureCode"] else {}))
    return {"repositoryName": name, "imageId": image_id, "replicationStatuses": statuses}
