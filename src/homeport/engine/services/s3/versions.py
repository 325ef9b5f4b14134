"""Object versions: the rows behind every key, newest first.

A bucket without versioning has one version a key, with the id `null`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from sqlite3 import Row
from typing import Any

import orjson

from homeport.engine.services.context import Context
from homeport.engine.services.s3 import references
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

NULL = "null"

Segment = tuple[str, int]
"""A blob's digest and size; an object's bytes are those of its segments in turn."""


@dataclass(slots=True)
class Version:
    """One version of an object, or a delete marker. `headers`, `checksums` and `encryption` have the names of
    GetObject's output; `parts` are the sizes and checksums of the parts of the
    multipart upload whose id is `upload`."""

    bucket: str
    key: str
    version: str = NULL
    marker: bool = False
    size: int = 0
    modified: float = 0.0
    etag: str = ""
    segments: list[Segment] = field(default_factory=list)
    headers: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    encryption: dict[str, Any] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    owner: str = ""
    upload: str = ""
    noncurrent_since: float = 0.0
    current: bool = True
    sequence: int = 0

    @property
    def holder(self) -> str:
        return f"version/{self.sequence}"


_BODY = (
    "segments", "headers", "metadata", "tags", "checksums", "encryption", "parts", "owner", "upload",
    "noncurrent_since",
)  # fmt: skip


def from_row(row: Row) -> Version:
    """The version that a row of s3_versions holds."""
    body = orjson.loads(row["body"])
    body["segments"] = [(digest, size) for digest, size in body["segments"]]
    return Version(
        bucket=row["bucket"],
        key=row["key"],
        version=row["version"],
        marker=bool(row["marker"]),
        size=row["size"],
        modified=row["modified"],
        etag=row["etag"],
        current=bool(row["current"]),
        sequence=row["sequence"],
        **body,
    )


def is_versioned(bucket: Body) -> bool:
    """Whether the bucket has, or once had, versioning."""
    return "versioning" in bucket["settings"]


def _is_enabled(bucket: Body) -> bool:
    return bucket["settings"].get("versioning", {}).get("Status") == "Enabled"


def current_version(ctx: Context, bucket: str, key: str) -> Version | None:
    """The newest version, which may be a delete marker."""
    rows = ctx.store.execute(
        "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? AND current = 1", bucket, key
    )
    return from_row(rows[0]) if rows else None


def get_version(ctx: Context, bucket: str, key: str, version: str) -> Version | None:
    """The version of this id."""
    rows = ctx.store.execute(
        "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? AND version = ?", bucket, key, version
    )
    return from_row(rows[0]) if rows else None


def find_version(ctx: Context, request: dict[str, Any]) -> Version:
    """The version that a request for an object means. Raises NoSuchKey, NoSuchVersion, MethodNotAllowed."""
    key, wanted = request["Key"], request.get("VersionId")
    if wanted is None:
        found = current_version(ctx, request["Bucket"], key)
        if found is None or found.marker:
            members = {"x-amz-delete-marker": "true"} if found else {}
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=key, **members)
        return found
    found = get_version(ctx, request["Bucket"], key, wanted)
    if found is None:
        raise AwsError(
            "NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=wanted
        )
    if found.marker:
        raise AwsError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            Method="GET",
            ResourceType="DeleteMarker",
        )
    return found


def add_version(ctx: Context, bucket: Body, version: Version) -> None:
    """Make this the current version of its key; call it in a transaction. Sets its id and sequence."""
    version.version = secrets.token_urlsafe(24) if _is_enabled(bucket) else NULL
    version.modified = ctx.now()
    previous = current_version(ctx, version.bucket, version.key)
    if previous and previous.version != version.version:
        previous.noncurrent_since = version.modified
        previous.current = False
        save(ctx, previous)
    if version.version == NULL:
        newest = previous is None or previous.version == NULL
        _drop(ctx, previous if newest else get_version(ctx, version.bucket, version.key, NULL))
    rows = ctx.store.execute(
        "INSERT INTO s3_versions (bucket, key, version, current, marker, size, modified, etag, body) "
        "VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?) RETURNING sequence",
        version.bucket,
        version.key,
        version.version,
        int(version.marker),
        version.size,
        version.modified,
        version.etag,
        _body(version),
    )
    version.sequence = rows[0]["sequence"]
    references.hold(ctx.store, version.holder, (digest for digest, _ in version.segments))


def delete_current(ctx: Context, bucket: Body, key: str) -> tuple[Version | None, bool]:
    """Delete a key: the delete marker that hides it in a versioned bucket, else nothing; and whether there was
    something to delete."""
    name = bucket["Name"]
    if is_versioned(bucket):
        marker = Version(name, key, marker=True, owner=bucket["Owner"])
        add_version(ctx, bucket, marker)
        return marker, True
    present = get_version(ctx, name, key, NULL)
    _drop(ctx, present)
    return None, present is not None


def delete_version(ctx: Context, version: Version) -> None:
    """Delete one version for good; the next one takes its place if it was the newest."""
    _drop(ctx, version)
    if not version.current:
        return
    rows = ctx.store.execute(
        "SELECT * FROM s3_versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1",
        version.bucket,
        version.key,
    )
    if rows:
        newest = from_row(rows[0])
        newest.current, newest.noncurrent_since = True, 0.0
        save(ctx, newest)


def save(ctx: Context, version: Version) -> None:
    """Write what changed of a version: its tags, whether it is the newest."""
    ctx.store.execute(
        "UPDATE s3_versions SET current = ?, body = ? WHERE sequence = ?",
        int(version.current),
        _body(version),
        version.sequence,
    )


def _drop(ctx: Context, version: Version | None) -> None:
    if version is not None:
        ctx.store.execute("DELETE FROM s3_versions WHERE sequence = ?", version.sequence)
        references.release(ctx.engine, version.holder)


def _body(version: Version) -> str:
    return orjson.dumps({name: getattr(version, name) for name in _BODY}).decode()
