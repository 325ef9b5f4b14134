"""Objects: put, get, head and delete.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3 import bodies, references, tags
from homeport.engine.services.s3.buckets import find_bucket
from homeport.engine.services.s3.conditions import byte_range, check_read, check_write
from homeport.engine.services.s3.lifecycle import Candidate, expiration
from homeport.engine.services.s3.notifications import notify
from homeport.engine.services.s3.versions import (
    NULL,
    Version,
    add_version,
    current_version,
    delete_current,
    delete_version,
    find_version,
    get_version,
    is_versioned,
)
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.codecs.values import rfc822
from homeport.engine.wire.errors import AwsError

HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "WebsiteRedirectLocation",
    "StorageClass",
)
_MAX_KEY = 1024
_MAX_METADATA = 2048


@operation
async def put_object(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""
    bucket = find_bucket(ctx, request)
    version = new_version(ctx, bucket, request)
    check_write(ctx, request, bucket)
    blob, version.checksums, data = await bodies.receive(ctx, request, small=bodies.SMALL)
    if version.checksums:
        version.checksums["ChecksumType"] = "FULL_OBJECT"
    version.segments, version.size, version.etag = [(blob.digest, blob.size)], blob.size, blob.md5
    ctx.engine.failpoints.hit("s3.put-object.stored")
    try:
        with ctx.store.transaction(together=True):
            bucket = find_bucket(ctx, request)
            check_write(ctx, request, bucket)
            add_version(ctx, bucket, version)
            if data is not None:
                references.hold_small(ctx.store, blob.digest, data)
            notify(ctx, bucket, version, "ObjectCreated:Put", "PutObject")
    except AwsError:
        bodies.discard(ctx, blob)
        raise
    return written(bucket, version)


def new_version(ctx: Context, bucket: Body, request: dict[str, Any]) -> Version:
    """A version with all that a request says of it but its bytes. Raises KeyTooLongError, MetadataTooLarge."""
    key = request["Key"]
    if len(key.encode()) > _MAX_KEY:
        raise AwsError(
            "KeyTooLongError", "Your key is too long", 400, Size=len(key.encode()), MaxSizeAllowed=_MAX_KEY
        )
    metadata = {name.lower(): value for name, value in (request.get("Metadata") or {}).items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > _MAX_METADATA:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise AwsError("MetadataTooLarge", message, 400, Size=size, MaxSizeAllowed=_MAX_METADATA)
    if request.get("SSECustomerAlgorithm"):
        raise AwsError(
            "NotImplemented", "homeport does not encrypt objects with customer-provided keys.", 501
        )
    headers = {name: request[name] for name in HEADERS if request.get(name) is not None}
    headers["ContentEncoding"] = _without_chunking(headers.get("ContentEncoding", ""))
    headers.setdefault("ContentType", "binary/octet-stream")
    return Version(
        bucket=bucket["Name"],
        key=key,
        headers={name: value for name, value in headers.items() if value != ""},
        metadata=metadata,
        tags=tags.from_header(request.get("Tagging")),
        encryption=_encryption(bucket, request),
        owner=ctx.principal.account,
    )


def _without_chunking(encoding: str) -> str:
    """aws-chunked says how the request was sent, not what the object is."""
    return ",".join(part.strip() for part in encoding.split(",") if part.strip() not in ("", "aws-chunked"))


def _encryption(bucket: Body, request: dict[str, Any]) -> dict[str, Any]:
    rule = bucket["settings"]["encryption"]["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    algorithm = request.get("ServerSideEncryption") or default["SSEAlgorithm"]
    found: dict[str, Any] = {"ServerSideEncryption": algorithm}
    if algorithm.startswith("aws:kms"):
        key = request.get("SSEKMSKeyId") or default.get("KMSMasterKeyID")
        alias = f"arn:aws:kms:{bucket['Region']}:{bucket['Owner']}:alias/aws/s3"
        found["SSEKMSKeyId"] = key or alias
        found["BucketKeyEnabled"] = request.get("BucketKeyEnabled", rule.get("BucketKeyEnabled", False))
    return found


def written(bucket: Body, version: Version) -> dict[str, Any]:
    """What writing an object answers."""
    return {
        "ETag": f'"{version.etag}"',
        "VersionId": version.version if version.version != NULL else None,
        "Expiration": _expiration(bucket, version),
        **version.checksums,
        **version.encryption,
    }


def _expiration(bucket: Body, version: Version) -> str | None:
    rules = bucket["settings"].get("lifecycle", {}).get("Rules", ())
    if not rules or not version.current:
        return None
    candidate = Candidate(version.key, version.size, version.tags, version.modified)
    found = expiration(rules, candidate)
    return f'expiry-date="{rfc822(found[0])}", rule-id="{found[1]}"' if found else None


@operation
async def get_object(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    answer, version, start, end = _describe(ctx, request)
    for name in (
        "CacheControl",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ContentType",
        "Expires",
    ):
        if f"Response{name}" in request:
            if ctx.call and ctx.call.principal.type == "Anonymous":
                message = "Request specific response headers cannot be used for anonymous GET requests."
                raise AwsError("InvalidRequest", message, 400)
            answer[name] = request[f"Response{name}"]
    answer["Body"] = bodies.send(ctx, version.segments, start, end)
    return answer


@operation
async def head_object(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    return _describe(ctx, request)[0]


def _describe(ctx: Context, request: dict[str, Any]) -> tuple[dict[str, Any], Version, int, int]:
    bucket = find_bucket(ctx, request)
    version = find_version(ctx, request)
    check_read(request, version)
    part = request.get("PartNumber")
    span = _part(version, part) if part else byte_range(request.get("Range"), version.size)
    start, end = span or (0, version.size)
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ContentLength": end - start,
        "ETag": f'"{version.etag}"',
        "VersionId": version.version if is_versioned(bucket) else None,
        "Metadata": version.metadata,
        "TagCount": len(version.tags) or None,
        "Expiration": _expiration(bucket, version),
        "PartsCount": len(version.parts) if part and version.parts else None,
        **version.headers,
        **version.encryption,
    }
    if request.get("ChecksumMode") == "ENABLED" and span is None:
        answer |= version.checksums
    if span is not None:
        answer["ContentRange"] = f"bytes {start}-{end - 1}/{version.size}"
        answer["ResponseMetadata"] = {"HTTPStatusCode": 206}
    if answer.get("StorageClass") == "STANDARD":
        del answer["StorageClass"]
    return answer, version, start, end


def _part(version: Version, number: int) -> tuple[int, int]:
    sizes = [part["Size"] for part in version.parts] or [version.size]
    if number > len(sizes):
        raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
    start = sum(sizes[: number - 1])
    return start, start + sizes[number - 1]


@operation
async def delete_object(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html"""
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        check_write(ctx, request, bucket)
        return delete(ctx, bucket, request["Key"], request.get("VersionId"))


def delete(ctx: Context, bucket: Body, key: str, version_id: str | None) -> dict[str, Any]:
    """Delete a key or one version of it, in the running transaction; what is not there is deleted already."""
    if version_id is None:
        present = current_version(ctx, bucket["Name"], key)
        marker, existed = delete_current(ctx, bucket, key)
        if marker:
            notify(ctx, bucket, marker, "ObjectRemoved:DeleteMarkerCreated", "DeleteObject")
            return {"DeleteMarker": True, "VersionId": marker.version}
        if existed and present:
            notify(ctx, bucket, present, "ObjectRemoved:Delete", "DeleteObject")
        return {}
    version = get_version(ctx, bucket["Name"], key, version_id)
    if version is None:
        return {"VersionId": version_id}
    delete_version(ctx, version)
    notify(ctx, bucket, version, "ObjectRemoved:Delete", "DeleteObject")
    return {"VersionId": version_id, "DeleteMarker": True if version.marker else None}


@operation
async def delete_objects(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
    objects = request["Delete"]["Objects"]
    if not 0 < len(objects) <= 1000:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
            400,
        )
    deleted, errors = [], []
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        for item in objects:
            key, version = item["Key"], item.get("VersionId")
            try:
                if item.get("ETag"):
                    check_write(ctx, {"Key": key, "IfMatch": item["ETag"]}, bucket)
                answer = delete(ctx, bucket, key, version)
            except AwsError as error:
                errors.append(
                    {"Key": key, "VersionId": version, "Code": error.code, "Message": error.message}
                )
                continue
            entry = {"Key": key, "VersionId": version, "DeleteMarker": answer.get("DeleteMarker")}
            if answer.get("DeleteMarker"):
                entry["DeleteMarkerVersionId"] = answer["VersionId"]
            deleted.append(entry)
    return {"Deleted": None if request["Delete"].get("Quiet") else deleted, "Errors": errors}
