"""Resource tags of repositories."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.repositories import checked_tags
from homeport.engine.services.ecr.tables import REPOSITORIES
from homeport.engine.services.service import operation
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def tag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html"""
    ctx, row = _resource(ctx, request["resourceArn"])
    REPOSITORIES.put(ctx, row | {"tags": checked_tags([*row["tags"], *request["tags"]])})
    return {}


@operation
async def untag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UntagResource.html"""
    ctx, row = _resource(ctx, request["resourceArn"])
    kept = [tag for tag in row["tags"] if tag["Key"] not in request["tagKeys"]]
    REPOSITORIES.put(ctx, row | {"tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListTagsForResource.html"""
    _, row = _resource(ctx, request["resourceArn"])
    return {"tags": row["tags"]}


def _resource(ctx: Context, arn: str) -> tuple[Context, Body]:
    parts = arn.split(":", 5)
    kind, _, name = parts[-1].partition("/")
    if len(parts) != 6 or parts[2] != "ecr" or kind != "repository" or not name:
        raise AwsError("InvalidParameterException", f"'{arn}' is not the ARN of a repository")
    ctx = ctx.within(Scope(parts[4], parts[3]))
    return ctx, find_repository(ctx, name)
