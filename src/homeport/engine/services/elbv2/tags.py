"""Tags of load balancers, listeners, rules and target groups.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.elbv2 import lookup
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def add_tags(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html"""
    validate(request["Tags"])
    with ctx.store.transaction():
        for arn in request["ResourceArns"]:
            body = lookup.anything(ctx, arn)
            merged = {tag["Key"]: tag.get("Value", "") for tag in [*body["tags"], *request["Tags"]]}
            tags = [{"Key": key, "Value": value} for key, value in merged.items()]
            validate(tags)
            lookup.table(arn).put(ctx, {**body, "tags": tags})
    return {}


@operation
async def remove_tags(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RemoveTags.html"""
    with ctx.store.transaction():
        for arn in request["ResourceArns"]:
            body = lookup.anything(ctx, arn)
            kept = [tag for tag in body["tags"] if tag["Key"] not in request["TagKeys"]]
            lookup.table(arn).put(ctx, {**body, "tags": kept})
    return {}


@operation
async def describe_tags(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html"""
    found = [(arn, lookup.anything(ctx, arn)["tags"]) for arn in request["ResourceArns"]]
    return {"TagDescriptions": [{"ResourceArn": arn, "Tags": tags} for arn, tags in found]}


def validate(tags: list[Body]) -> None:
    """Raise AWS's error for tags that cannot be."""
    keys = [tag["Key"] for tag in tags]
    if len(keys) != len(set(keys)):
        raise AwsError("DuplicateTagKeys", "Tag keys must be unique")
    if len(keys) > 50:
        raise AwsError("TooManyTags", "The quota for the number of tags assigned to this resource is 50")
