"""Listings of objects and versions, with prefixes, delimiters and pages.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import find_bucket, owner
from homeport.engine.services.s3.versions import Version, from_row
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_BATCH = 500
_LAST = "\U0010ffff"
MAX_KEYS = 1000


class Listing(NamedTuple):
    """A page: rows and common prefixes in the order of their keys, and where the next page begins."""

    versions: list[Version]
    prefixes: list[str]
    truncated: bool
    last: tuple[str, str]


@operation
async def list_objects_v2(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
    find_bucket(ctx, request)
    token = request.get("ContinuationToken")
    after = _from_token(token) if token is not None else request.get("StartAfter", "")
    found = _list(ctx, request, after, _objects)
    encode = _encoder(request)
    return {
        **_head(request, encode),
        "KeyCount": len(found.versions) + len(found.prefixes),
        "IsTruncated": found.truncated,
        "ContinuationToken": token,
        "NextContinuationToken": _to_token(found.last[0]) if found.truncated else None,
        "StartAfter": encode(request["StartAfter"]) if request.get("StartAfter") else None,
        "Contents": [_entry(version, encode, bool(request.get("FetchOwner"))) for version in found.versions],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in found.prefixes],
    }


@operation
async def list_objects(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html"""
    find_bucket(ctx, request)
    found = _list(ctx, request, request.get("Marker") or "", _objects)
    encode = _encoder(request)
    return {
        **_head(request, encode),
        "IsTruncated": found.truncated,
        "Marker": encode(request.get("Marker") or ""),
        "NextMarker": encode(found.last[0]) if found.truncated and request.get("Delimiter") else None,
        "Contents": [_entry(version, encode, True) for version in found.versions],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in found.prefixes],
    }


@operation
async def list_object_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html"""
    find_bucket(ctx, request)
    if request.get("VersionIdMarker") and not request.get("KeyMarker"):
        raise AwsError(
            "InvalidArgument", "A version-id marker cannot be specified without a key marker.", 400
        )
    found = _list(ctx, request, request.get("KeyMarker") or "", _versions)
    encode = _encoder(request)
    entries = [
        {
            **_entry(version, encode, True),
            "VersionId": version.version,
            "IsLatest": version.current,
        }
        for version in found.versions
    ]
    markers = [version.marker for version in found.versions]
    for entry, marker in zip(entries, markers, strict=True):
        if marker:
            for name in ("ETag", "Size", "StorageClass"):
                entry.pop(name, None)
    return {
        **_head(request, encode),
        "IsTruncated": found.truncated,
        "KeyMarker": encode(request.get("KeyMarker") or ""),
        "VersionIdMarker": request.get("VersionIdMarker", ""),
        "NextKeyMarker": encode(found.last[0]) if found.truncated else None,
        "NextVersionIdMarker": found.last[1] or None if found.truncated else None,
        "Versions": [entry for entry, marker in zip(entries, markers, strict=True) if not marker],
        "DeleteMarkers": [entry for entry, marker in zip(entries, markers, strict=True) if marker],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in found.prefixes],
    }


Read = Callable[[Context, dict[str, Any], str, str], Iterator[Version]]


def _list(ctx: Context, request: dict[str, Any], after: str, read: Read) -> Listing:
    """A page of what `read` gives from a position on. Keys that share a prefix up to the delimiter are passed over
    in one step, however many they are."""
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    limit = min(request.get("MaxKeys", MAX_KEYS), MAX_KEYS)
    if limit < 0:
        raise AwsError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647", 400)
    versions: list[Version] = []
    prefixes: list[str] = []
    last, position, version_marker = ("", ""), after, request.get("VersionIdMarker") or ""
    if delimiter and after.startswith(prefix) and (group := _group(after, prefix, delimiter)) == after:
        position = group + _LAST
    while limit:
        for version in read(ctx, request, position, version_marker):
            group = _group(version.key, prefix, delimiter)
            if len(versions) + len(prefixes) == limit:
                return Listing(versions, prefixes, True, last)
            if group is not None:
                prefixes.append(group)
                last, position, version_marker = (group, ""), group + _LAST, ""
                break
            versions.append(version)
            last, position = (version.key, version.version), version.key
            version_marker = version.version
        else:
            break
    return Listing(versions, prefixes, False, last)


def _group(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix that stands for the key, if it has the delimiter after the prefix."""
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return key[: at + len(delimiter)] if at >= 0 else None


def _objects(ctx: Context, request: dict[str, Any], after: str, marker: str) -> Iterator[Version]:
    prefix = request.get("Prefix") or ""
    while True:
        rows = ctx.store.execute(
            "SELECT * FROM s3_versions WHERE bucket = ? AND key > ? AND key >= ? AND key < ? AND current = 1 "
            f"AND marker = 0 ORDER BY key LIMIT {_BATCH}",
            request["Bucket"],
            after,
            prefix,
            prefix + _LAST,
        )
        yield from map(from_row, rows)
        if len(rows) < _BATCH:
            return
        after = rows[-1]["key"]


def _versions(ctx: Context, request: dict[str, Any], after: str, marker: str) -> Iterator[Version]:
    prefix, name = request.get("Prefix") or "", request["Bucket"]
    if marker:
        yield from map(from_row, _older(ctx, name, after, marker, prefix))
    while True:
        rows = ctx.store.execute(
            "SELECT * FROM s3_versions WHERE bucket = ? AND key > ? AND key >= ? AND key < ? "
            f"ORDER BY key, sequence DESC LIMIT {_BATCH}",
            name,
            after,
            prefix,
            prefix + _LAST,
        )
        if len(rows) < _BATCH:
            yield from map(from_row, rows)
            return
        last = rows[-1]["key"]
        whole = [row for row in rows if row["key"] != last]
        yield from map(from_row, whole)
        yield from map(from_row, _all(ctx, name, last))
        after = last


def _all(ctx: Context, bucket: str, key: str) -> list[Any]:
    return ctx.store.execute(
        "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC", bucket, key
    )


def _older(ctx: Context, bucket: str, key: str, version: str, prefix: str) -> list[Any]:
    """What is left of a key after the version at which the last page ended."""
    rows = _all(ctx, bucket, key) if key.startswith(prefix) else []
    ids = [row["version"] for row in rows]
    return rows[ids.index(version) + 1 :] if version in ids else []


def _head(request: dict[str, Any], encode: Callable[[str], str]) -> dict[str, Any]:
    return {
        "Name": request["Bucket"],
        "Prefix": encode(request.get("Prefix") or ""),
        "Delimiter": encode(request["Delimiter"]) if request.get("Delimiter") else None,
        "MaxKeys": request.get("MaxKeys", MAX_KEYS),
        "EncodingType": request.get("EncodingType"),
    }


def _entry(version: Version, encode: Callable[[str], str], with_owner: bool) -> dict[str, Any]:
    algorithms = [name.removeprefix("Checksum") for name in version.checksums if name != "ChecksumType"]
    return {
        "Key": encode(version.key),
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        "Size": version.size,
        "StorageClass": version.headers.get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": algorithms or None,
        "ChecksumType": version.checksums.get("ChecksumType"),
        "Owner": owner(version.owner) if with_owner else None,
    }


def _encoder(request: dict[str, Any]) -> Callable[[str], str]:
    if request.get("EncodingType") == "url":
        return lambda text: quote(text, safe="/")
    return lambda text: text


def _to_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect", 400) from None
