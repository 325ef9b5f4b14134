"""Multipart uploads. A finished object is made of its parts' blobs: nothing is copied.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3 import bodies
from homeport.engine.services.s3.buckets import find_bucket, owner
from homeport.engine.services.s3.checksums import composite, full_object
from homeport.engine.services.s3.conditions import check_write
from homeport.engine.services.s3.notifications import notify
from homeport.engine.services.s3.objects import new_version, written
from homeport.engine.services.s3.parts import drop_upload, keep_part, parts_of
from homeport.engine.services.s3.versions import Version, add_version, current_version
from homeport.engine.services.service import operation
from homeport.engine.store.blobs import Blob
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000


@operation
async def create_multipart_upload(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html"""
    bucket = find_bucket(ctx, request)
    version = new_version(ctx, bucket, request)
    upload = secrets.token_urlsafe(48)
    algorithm = request.get("ChecksumAlgorithm")
    kind = request.get("ChecksumType") or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
    body = {
        "headers": version.headers,
        "metadata": version.metadata,
        "tags": version.tags,
        "encryption": version.encryption,
        "owner": version.owner,
        "algorithm": algorithm,
        "type": kind if algorithm else None,
    }
    ctx.store.execute(
        "INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)",
        upload,
        bucket["Name"],
        version.key,
        ctx.now(),
        json.dumps(body),
    )
    return {
        "Bucket": bucket["Name"],
        "Key": version.key,
        "UploadId": upload,
        "ChecksumAlgorithm": algorithm,
        "ChecksumType": body["type"],
        **version.encryption,
    }


@operation
async def upload_part(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html"""
    find_bucket(ctx, request)
    upload = find_upload(ctx, request)
    _number(request["PartNumber"])
    blob, checksums, _ = await bodies.receive(ctx, request)
    ctx.engine.failpoints.hit("s3.upload-part.stored")
    add_part(ctx, request, blob, checksums)
    return {"ETag": f'"{blob.md5}"', **checksums, **upload["encryption"]}


def add_part(ctx: Context, request: dict[str, Any], blob: Blob, checksums: dict[str, str]) -> None:
    """Keep a part whose bytes have come, or were copied from another object."""
    number = _number(request["PartNumber"])
    try:
        with ctx.store.transaction():
            find_upload(ctx, request)
            keep_part(ctx, request["UploadId"], number, blob, checksums)
    except AwsError:
        bodies.discard(ctx, blob)
        raise


def _number(number: int) -> int:
    if not 1 <= number <= MAX_PARTS:
        message = f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
        raise AwsError("InvalidArgument", message, 400, ArgumentName="partNumber", ArgumentValue=number)
    return number


def find_upload(ctx: Context, request: dict[str, Any]) -> Body:
    """The unfinished upload that a request names. Raises NoSuchUpload."""
    rows = ctx.store.execute(
        "SELECT * FROM s3_uploads WHERE upload = ? AND bucket = ? AND key = ?",
        request["UploadId"],
        request["Bucket"],
        request["Key"],
    )
    if not rows:
        raise AwsError(
            "NoSuchUpload",
            "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have "
            "been aborted or completed.",
            404,
            UploadId=request["UploadId"],
        )
    return {**json.loads(rows[0]["body"]), "initiated": rows[0]["initiated"]}


@operation
async def complete_multipart_upload(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""
    with ctx.store.transaction():
        bucket = find_bucket(ctx, request)
        if (finished := _finished(ctx, request)) is not None:
            return _completed(ctx, bucket, finished)
        upload = find_upload(ctx, request)
        check_write(ctx, request, bucket)
        parts = _chosen(ctx, request, upload)
        version = Version(
            bucket=bucket["Name"],
            key=request["Key"],
            size=sum(part["Size"] for part in parts),
            etag=_etag(parts),
            segments=[(digest, size) for part in parts for digest, size in part["segments"]],
            headers=upload["headers"],
            metadata=upload["metadata"],
            tags=upload["tags"],
            encryption=upload["encryption"],
            checksums=_checksum(upload, request, parts),
            parts=[
                {"PartNumber": part["PartNumber"], "Size": part["Size"], **part["checksums"]}
                for part in parts
            ],
            owner=upload["owner"],
            upload=request["UploadId"],
        )
        add_version(ctx, bucket, version)
        drop_upload(ctx, request["UploadId"])
        notify(ctx, bucket, version, "ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload")
        return _completed(ctx, bucket, version)


def _finished(ctx: Context, request: dict[str, Any]) -> Version | None:
    """The object of an upload that was completed already: clients ask again when an answer is lost."""
    version = current_version(ctx, request["Bucket"], request["Key"])
    if version and version.upload == request["UploadId"]:
        return version
    return None


def _completed(ctx: Context, bucket: Body, version: Version) -> dict[str, Any]:
    return {
        "Location": f"http://{bucket['Name']}.s3.{bucket['Region']}.amazonaws.com/{version.key}",
        "Bucket": bucket["Name"],
        "Key": version.key,
        **written(bucket, version),
    }


def _chosen(ctx: Context, request: dict[str, Any], upload: Body) -> list[dict[str, Any]]:
    """The parts that the client wants, checked. Raises InvalidPart, InvalidPartOrder, EntityTooSmall."""
    wanted = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not wanted:
        raise AwsError("MalformedXML", "You must specify at least one part", 400)
    numbers = [part["PartNumber"] for part in wanted]
    if numbers != sorted(set(numbers)):
        raise AwsError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            400,
            UploadId=request["UploadId"],
        )
    present = {part["PartNumber"]: part for part in parts_of(ctx, request["UploadId"])}
    chosen = []
    for part in wanted:
        found = present.get(part["PartNumber"])
        given = {name: value for name, value in part.items() if name.startswith("Checksum")}
        if (
            found is None
            or found["ETag"] != part.get("ETag", found["ETag"]).strip('"')
            or any(found["checksums"].get(name, value) != value for name, value in given.items())
        ):
            raise AwsError(
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or "
                "the specified entity tag may not match the part's entity tag.",
                400,
                UploadId=request["UploadId"],
                PartNumber=part["PartNumber"],
                ETag=part.get("ETag", ""),
            )
        chosen.append(found)
    for part in chosen[:-1]:
        if part["Size"] < MIN_PART:
            raise AwsError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                400,
                ProposedSize=part["Size"],
                MinSizeAllowed=MIN_PART,
                PartNumber=part["PartNumber"],
                ETag=part["ETag"],
            )
    return chosen


def _etag(parts: list[dict[str, Any]]) -> str:
    joined = b"".join(bytes.fromhex(part["ETag"]) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _checksum(upload: Body, request: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, str]:
    algorithm = upload["algorithm"]
    name = f"Checksum{algorithm}"
    if not algorithm or any(name not in part["checksums"] for part in parts):
        return {}
    if upload["type"] == "COMPOSITE":
        value = composite(algorithm, [part["checksums"][name] for part in parts])
    else:
        value = full_object(algorithm, [(part["checksums"][name], part["Size"]) for part in parts])
    given = request.get(name)
    if given is not None and given.partition("-")[0] != value.partition("-")[0]:
        raise AwsError(
            "BadDigest", f"The {algorithm} you specified did not match the calculated checksum.", 400
        )
    return {name: value, "ChecksumType": upload["type"]}


@operation
async def abort_multipart_upload(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html"""
    with ctx.store.transaction():
        find_bucket(ctx, request)
        find_upload(ctx, request)
        drop_upload(ctx, request["UploadId"])
    return {}


@operation
async def list_parts(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html"""
    find_bucket(ctx, request)
    upload = find_upload(ctx, request)
    limit = min(request.get("MaxParts", 1000), 1000)
    marker = int(request.get("PartNumberMarker") or 0)
    rest = [part for part in parts_of(ctx, request["UploadId"]) if part["PartNumber"] > marker]
    return {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "UploadId": request["UploadId"],
        "PartNumberMarker": marker,
        "NextPartNumberMarker": rest[:limit][-1]["PartNumber"] if rest[:limit] else 0,
        "MaxParts": limit,
        "IsTruncated": len(rest) > limit,
        "Parts": [
            {
                "PartNumber": part["PartNumber"],
                "LastModified": part["LastModified"],
                "ETag": f'"{part["ETag"]}"',
                "Size": part["Size"],
                **part["checksums"],
            }
            for part in rest[:limit]
        ],
        "Initiator": owner(upload["owner"]),
        "Owner": owner(upload["owner"]),
        "StorageClass": upload["headers"].get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": upload["algorithm"],
        "ChecksumType": upload["type"],
    }


@operation
async def list_multipart_uploads(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html"""
    find_bucket(ctx, request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    limit = min(request.get("MaxUploads", 1000), 1000)
    after = (request.get("KeyMarker") or "", request.get("UploadIdMarker") or "")
    rows = ctx.store.execute(
        "SELECT * FROM s3_uploads WHERE bucket = ? AND key >= ? ORDER BY key, upload",
        request["Bucket"],
        prefix,
    )
    uploads: list[sqlite3.Row] = []
    prefixes, truncated, last = dict[str, None](), False, after
    for row in rows:
        key = row["key"]
        if not key.startswith(prefix) or not _is_after(key, row["upload"], after):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        if at >= 0 and key[: at + len(delimiter)] in prefixes:
            continue
        if len(uploads) + len(prefixes) == limit:
            truncated = True
            break
        last = (key, row["upload"])
        if at >= 0:
            prefixes[key[: at + len(delimiter)]] = None
        else:
            uploads.append(row)
    return {
        "Bucket": request["Bucket"],
        "Prefix": prefix,
        "Delimiter": delimiter or None,
        "KeyMarker": after[0],
        "UploadIdMarker": after[1],
        "MaxUploads": limit,
        "IsTruncated": truncated,
        "NextKeyMarker": last[0] if truncated else None,
        "NextUploadIdMarker": last[1] if truncated else None,
        "Uploads": [_shown(row) for row in uploads],
        "CommonPrefixes": [{"Prefix": each} for each in prefixes],
    }


def _is_after(key: str, upload: str, after: tuple[str, str]) -> bool:
    return (key, upload) > after if after[1] else key > after[0]


def _shown(row: Any) -> dict[str, Any]:
    body = json.loads(row["body"])
    return {
        "UploadId": row["upload"],
        "Key": row["key"],
        "Initiated": row["initiated"],
        "StorageClass": body["headers"].get("StorageClass", "STANDARD"),
        "Owner": owner(body["owner"]),
        "Initiator": owner(body["owner"]),
        "ChecksumAlgorithm": body["algorithm"],
        "ChecksumType": body["type"],
    }
