"""Tags of objects, as a header carries them and as operations do."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import find_bucket
from homeport.engine.services.s3.notifications import notify
from homeport.engine.services.s3.versions import find_version, save
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


def from_header(header: str | None) -> dict[str, str]:
    """The tags of an x-amz-tagging header: `a=1&b=2`."""
    pairs = parse_qsl(header or "", keep_blank_values=True)
    return from_tag_set([{"Key": key, "Value": value} for key, value in pairs])


def from_tag_set(tag_set: list[dict[str, str]], limit: int = 10) -> dict[str, str]:
    """The tags of a TagSet. Raises InvalidTag, BadRequest."""
    if len(tag_set) > limit:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {limit}", 400)
    tags = {tag["Key"]: tag["Value"] for tag in tag_set}
    if len(tags) < len(tag_set):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", 400)
    for key, value in tags.items():
        if not key or len(key) > 128:
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", 400, TagKey=key)
        if key.lower().startswith("aws:"):
            raise AwsError("InvalidTag", "System tags cannot be added/updated by requester", 400, TagKey=key)
        if len(value) > 256:
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", 400, TagKey=key)
    return tags


@operation
async def put_object_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html"""
    return _replace(ctx, request, from_tag_set(request["Tagging"]["TagSet"]))


@operation
async def delete_object_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html"""
    return _replace(ctx, request, {})


def _replace(ctx: Context, request: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        version = find_version(ctx, request)
        version.tags = tags
        save(ctx, version)
        notify(ctx, bucket, version, "ObjectTagging:Put" if tags else "ObjectTagging:Delete", "")
    return {"VersionId": version.version}


@operation
async def get_object_tagging(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html"""
    find_bucket(ctx, request)
    version = find_version(ctx, request)
    tags = [{"Key": key, "Value": value} for key, value in version.tags.items()]
    return {"VersionId": version.version, "TagSet": tags}
