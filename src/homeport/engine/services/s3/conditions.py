"""Conditional requests and byte ranges.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.versions import Version, current_version
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def check_read(request: Mapping[str, Any], version: Version, prefix: str = "If") -> None:
    """The conditions of a read, or with the prefix `CopySourceIf` those on a copy's source.
    Raises PreconditionFailed, and Not Modified (304) for reads."""
    modified = int(version.modified)
    matches, none = request.get(f"{prefix}Match"), request.get(f"{prefix}NoneMatch")
    since, unmodified = request.get(f"{prefix}ModifiedSince"), request.get(f"{prefix}UnmodifiedSince")
    if matches is not None and not _matches(matches, version.etag):
        raise failed(f"{prefix}-Match")
    if matches is None and unmodified is not None and modified > int(unmodified):
        raise failed(f"{prefix}-Unmodified-Since")
    unchanged = (
        _matches(none, version.etag) if none is not None else since is not None and modified <= int(since)
    )
    if unchanged and prefix == "If":
        raise AwsError("NotModified", "Not Modified", 304)
    if unchanged:
        raise failed(f"{prefix}-None-Match" if none is not None else f"{prefix}-Modified-Since")


def check_write(ctx: Context, request: Mapping[str, Any], bucket: Body) -> None:
    """The conditions of a write over what is there. Raises PreconditionFailed, NoSuchKey."""
    matches, none = request.get("IfMatch"), request.get("IfNoneMatch")
    if matches is None and none is None:
        return
    present = current_version(ctx, bucket["Name"], request["Key"])
    exists = present is not None and not present.marker
    if none is not None:
        if none != "*":
            raise AwsError(
                "NotImplemented", "A header you provided implies functionality that is not implemented", 501
            )
        if exists:
            raise failed("If-None-Match")
    if matches is not None:
        if not exists or present is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=request["Key"])
        if not _matches(matches, present.etag):
            raise failed("If-Match")


def failed(condition: str) -> AwsError:
    """The answer to a condition that does not hold."""
    message = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", message, 412, Condition=condition)


def _matches(condition: str, etag: str) -> bool:
    wanted = [part.strip().removeprefix("W/").strip('"') for part in condition.split(",")]
    return "*" in wanted or etag in wanted


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of a Range header; None for all bytes, also when the header is not
    understood. Raises InvalidRange."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if not found or (not found[1] and not found[2]):
        return None
    if not found[1]:
        length = int(found[2])
        start, end = max(0, size - length), size
        valid = length > 0 and size > 0
    else:
        start = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
        valid = start < size
    if not valid:
        raise AwsError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            RangeRequested=header,
            ActualObjectSize=size,
        )
    return start, end
