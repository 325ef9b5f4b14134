"""Tags of buckets, by ARN.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import BUCKETS, everywhere, find_bucket
from homeport.engine.services.s3.control.public_access import check_account
from homeport.engine.services.s3.tags import from_tag_set
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListTagsForResource.html"""
    return {"Tags": _tags(_bucket(ctx, request))}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html"""
    added = from_tag_set(request["Tags"], limit=50)
    with ctx.store.transaction():
        bucket = _bucket(ctx, request)
        _put(ctx, bucket, {tag["Key"]: tag["Value"] for tag in _tags(bucket)} | added)
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UntagResource.html"""
    with ctx.store.transaction():
        bucket = _bucket(ctx, request)
        kept = {tag["Key"]: tag["Value"] for tag in _tags(bucket) if tag["Key"] not in request["TagKeys"]}
        _put(ctx, bucket, kept)
    return {}


def _bucket(ctx: Context, request: dict[str, Any]) -> Body:
    check_account(ctx, request)
    arn = request["ResourceArn"]
    if not arn.startswith("arn:aws:s3:::") or "/" in arn:
        raise AwsError("InvalidRequest", f"homeport tags buckets only by their ARNs; {arn} is none.", 400)
    return find_bucket(ctx, {"Bucket": arn.rpartition(":")[2], "ExpectedBucketOwner": ctx.account})


def _tags(bucket: Body) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = bucket["settings"].get("tagging", {}).get("TagSet", [])
    return tags


def _put(ctx: Context, bucket: Body, tags: dict[str, str]) -> None:
    if tags:
        bucket["settings"]["tagging"] = {
            "TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]
        }
    else:
        bucket["settings"].pop("tagging", None)
    BUCKETS.put(everywhere(ctx.store), bucket)
