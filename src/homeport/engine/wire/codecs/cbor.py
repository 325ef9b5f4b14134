"""CBOR bodies (Smithy RPC v2), read and written by the shapes of the model.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

from typing import Any

import cbor2
from botocore.model import Shape

from homeport.engine.wire.codecs import json
from homeport.engine.wire.codecs.values import epoch, malformed
from homeport.engine.wire.errors import WireError

HEADERS = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
_EPOCH_TAG = 1


def read_body(body: bytes, shape: Shape | None) -> dict[str, Any]:
    """The members of `shape` in a CBOR body: JSON's rules, but that blobs are bytes and timestamps are tagged."""
    if not body or shape is None:
        return {}
    try:
        value = cbor2.loads(body)
        if not isinstance(value, dict):
            raise malformed("The request body must be a CBOR map.")
        return json.read(value, shape)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, RecursionError):
        raise malformed("The request body is not valid CBOR.") from None


def write_body(value: dict[str, Any], shape: Shape | None) -> bytes:
    """A response body."""
    return cbor2.dumps(_write(value, shape) if shape is not None else {})


def write_error(error: WireError) -> bytes:
    """An error body: `__type`, the message, and the other members of its shape."""
    shape = error.shape
    body: dict[str, Any] = {"__type": shape.name if shape else error.code, "message": error.message}
    if shape:
        body |= _write(error.members, shape)
    return cbor2.dumps(body)


def _write(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            members[name].serialization.get("name", name): _write(item, members[name])
            for name, item in value.items()
            if item is not None and name in members
        }
    if kind == "list":
        return [_write(item, shape.member) for item in value]
    if kind == "map":
        return {key: _write(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return cbor2.CBORTag(_EPOCH_TAG, epoch(value))
    if kind == "blob":
        return value.encode() if isinstance(value, str) else value
    if kind in ("float", "double"):
        return float(value)
    return value
