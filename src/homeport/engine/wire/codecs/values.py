"""Scalars on the wire: timestamps, blobs, numbers, booleans. Timestamps are epoch seconds (float) inside."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, TypeVar

from botocore.model import Shape

from homeport.engine.wire.errors import AwsError

Number = TypeVar("Number", int, float, int | float)


def malformed(message: str) -> AwsError:
    """The request cannot be read as its operation's input."""
    return AwsError("SerializationException", message, 400)


def epoch(value: float | int | datetime) -> float:
    """Epoch seconds of a timestamp that a service returned."""
    return value.timestamp() if isinstance(value, datetime) else float(value)


def read_timestamp(value: Any) -> float:
    """Epoch seconds from any of AWS's formats: a number, ISO 8601, RFC 822, or what CBOR tags as a time."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise malformed(f"a timestamp was expected, but {type(value).__name__} was found")
    try:
        number = float(value)
        if math.isfinite(number):
            return number
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        try:
            moment = parsedate_to_datetime(str(value))
        except (ValueError, TypeError):
            raise malformed(f"Invalid timestamp: {str(value)[:64]!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def iso8601(value: float | int | datetime) -> str:
    """`2026-01-31T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(epoch(value), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def rfc822(value: float | int | datetime) -> str:
    """`Sat, 31 Jan 2026 12:00:00 GMT`."""
    return formatdate(epoch(value), usegmt=True)


def write_timestamp(value: Any, shape: Shape, default: str) -> str | float | int:
    """A timestamp in the format that the shape asks for, else `default`."""
    form = shape.serialization.get("timestampFormat", default)
    if form == "iso8601":
        return iso8601(value)
    if form == "rfc822":
        return rfc822(value)
    seconds = round(epoch(value), 3)
    return int(seconds) if seconds == int(seconds) else seconds


def read_blob(value: Any) -> bytes:
    """Bytes from base64; CBOR has them as they are."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise malformed("a base64 string was expected for a blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise malformed("Invalid base64 in a blob") from None


def write_blob(value: bytes | str) -> str:
    """Base64 of bytes."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def read_text(value: str, shape: Shape) -> Any:
    """A scalar from the text of a query parameter, a header or an XML element."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return _number(value, int)
    if kind in ("float", "double"):
        return _number(value, float)
    if kind == "boolean":
        if value.lower() not in ("true", "false"):
            raise malformed(f"'true' or 'false' was expected, but {value[:64]!r} was found")
        return value.lower() == "true"
    if kind == "timestamp":
        return read_timestamp(value)
    if kind == "blob":
        return read_blob(value)
    return value


def write_text(value: Any, shape: Shape, timestamps: str) -> str:
    """A scalar as the text of a header or an XML element."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return str(write_timestamp(value, shape, timestamps))
    if kind == "blob":
        return write_blob(value)
    return str(value)


def _number(value: str, of: type[int] | type[float]) -> int | float:
    try:
        return check_size(of(value))
    except (ValueError, OverflowError):
        raise malformed(f"a number was expected, but {value[:64]!r} was found") from None


def check_size(number: Number) -> Number:
    """The number. Raises SerializationException for an integer of more than 64 bits, which no AWS service takes."""
    if isinstance(number, int) and not -(2**63) <= number < 2**63:
        raise malformed(f"{number:e} cannot be converted to a Long")
    return number
