"""Copies of objects and of parts. A copy refers to the same blobs: no byte is moved.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote

from homeport.engine.services.context import Context
from homeport.engine.services.s3 import bodies, tags
from homeport.engine.services.s3.buckets import find_bucket
from homeport.engine.services.s3.checksums import Expectation
from homeport.engine.services.s3.conditions import byte_range, check_read, check_write
from homeport.engine.services.s3.notifications import notify
from homeport.engine.services.s3.objects import new_version, written
from homeport.engine.services.s3.uploads import add_part, find_upload
from homeport.engine.services.s3.versions import (
    NULL,
    Version,
    add_version,
    find_version,
    is_versioned,
)
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def copy_object(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    bucket = find_bucket(ctx, request)
    source, source_id = await _source(ctx, request)
    replaced = request.get("MetadataDirective") == "REPLACE"
    wanted = new_version(ctx, bucket, request)
    _refuse_idle(request, source, replaced)
    check_read(request, source, "CopySourceIf")
    copy = replace(
        wanted,
        size=source.size,
        etag=source.etag,
        segments=source.segments,
        parts=source.parts,
        checksums=source.checksums,
        headers=wanted.headers if replaced else _kept(source, request),
        metadata=wanted.metadata if replaced else source.metadata,
        tags=tags.from_header(request.get("Tagging"))
        if request.get("TaggingDirective") == "REPLACE"
        else source.tags,
    )
    if (algorithm := request.get("ChecksumAlgorithm")) and f"Checksum{algorithm}" not in source.checksums:
        copy.checksums = await _checksum(ctx, algorithm, source)
    with ctx.store.transaction():
        # the source may have gone, or have been overwritten, while its checksum was computed
        source = find_version(ctx, {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version})
        if source.segments != copy.segments:
            raise AwsError(
                "OperationAborted",
                "A conflicting operation is in progress against the source of this copy. Please try again.",
                409,
            )
        check_write(ctx, request, bucket)
        add_version(ctx, bucket, copy)
        notify(ctx, bucket, copy, "ObjectCreated:Copy", "CopyObject")
    answer = written(bucket, copy)
    result = {"ETag": answer.pop("ETag"), "LastModified": copy.modified, **copy.checksums}
    answer = {name: value for name, value in answer.items() if not name.startswith("Checksum")}
    return {**answer, "CopyObjectResult": result, "CopySourceVersionId": source_id}


def _kept(source: Version, request: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in source.headers.items() if name != "StorageClass"}
    if request.get("StorageClass"):
        headers["StorageClass"] = request["StorageClass"]
    return headers


def _refuse_idle(request: dict[str, Any], source: Version, replaced: bool) -> None:
    """Raise InvalidRequest for a copy of an object onto itself that changes nothing."""
    itself = (source.bucket, source.key) == (request["Bucket"], request["Key"]) and source.current
    changes = (
        replaced
        or request.get("StorageClass")
        or request.get("ServerSideEncryption")
        or request.get("WebsiteRedirectLocation")
        or request.get("TaggingDirective") == "REPLACE"
        or request.get("ChecksumAlgorithm")
    )
    if itself and not changes:
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
            400,
        )


async def _source(ctx: Context, request: dict[str, Any]) -> tuple[Version, str | None]:
    """The version to copy. The caller must be allowed to read it, as GetObject would say."""
    name, key, version_id = _parse(request["CopySource"])
    params = {"Bucket": name, "Key": key, "VersionId": version_id}
    owner = request.get("ExpectedSourceBucketOwner")
    bucket = find_bucket(ctx, {"Bucket": name, "ExpectedBucketOwner": owner})
    await ctx.client("s3").head_object(**params)
    version = find_version(ctx, params)
    return version, version.version if is_versioned(bucket) and version.version != NULL else None


def _parse(source: str) -> tuple[str, str, str | None]:
    path, _, query = source.partition("?")
    name, _, key = unquote(path).lstrip("/").partition("/")
    if not name or not key:
        raise AwsError(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            400,
            ArgumentName="x-amz-copy-source",
            ArgumentValue=source,
        )
    return name, key, parse_qs(query).get("versionId", [None])[0]


async def _checksum(ctx: Context, algorithm: str, source: Version) -> dict[str, str]:
    computed = Expectation({"ChecksumAlgorithm": algorithm}, {})
    async for chunk in bodies.send(ctx, source.segments, 0, source.size):
        computed.update(chunk)
    return {**computed.check({}), "ChecksumType": "FULL_OBJECT"}


@operation
async def upload_part_copy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    find_bucket(ctx, request)
    upload = find_upload(ctx, request)
    source, source_id = await _source(ctx, request)
    check_read(request, source, "CopySourceIf")
    start, end = byte_range(request.get("CopySourceRange"), source.size) or (0, source.size)
    expected = Expectation({"ChecksumAlgorithm": upload["algorithm"]} if upload["algorithm"] else {}, {})

    async def chunks() -> Any:
        async for chunk in bodies.send(ctx, source.segments, start, end):
            expected.update(chunk)
            yield chunk

    blob = await ctx.blobs.write(chunks())
    checksums = expected.check({})
    add_part(ctx, request, blob, checksums)
    return {
        "CopySourceVersionId": source_id,
        "CopyPartResult": {"ETag": f'"{blob.md5}"', "LastModified": ctx.now(), **checksums},
        **upload["encryption"],
    }
