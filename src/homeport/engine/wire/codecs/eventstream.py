"""Event streams: answers that go on, as AWS frames them.

Each message is a length, headers and a JSON payload between two checksums.
https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

from botocore.model import StructureShape

from homeport.engine.wire.codecs import json

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


async def write(events: AsyncIterator[dict[str, Any]], shape: StructureShape) -> AsyncIterator[bytes]:
    """The messages of a stream. Each event is a dict of one member of the stream's shape; JSON protocols begin with
    an empty initial response."""
    yield _message("initial-response", b"{}")
    async for event in events:
        ((name, value),) = event.items()
        yield _message(name, json.write_body(value, shape.members[name]))


def _message(event: str, payload: bytes) -> bytes:
    kind = "exception" if event.endswith("Exception") else "event"
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (f":{kind}-type", event),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    return (
        bytes([len(name)])
        + name.encode()
        + bytes([_STRING])
        + struct.pack("!H", len(value.encode()))
        + value.encode()
    )
