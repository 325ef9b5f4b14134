"""JSON bodies (JSON 1.0, 1.1 and the bodies of REST-JSON), read and written by the shapes of the model."""

from __future__ import annotations

import json
from typing import Any

from botocore.model import Shape, StructureShape

from homeport.engine.wire.codecs.values import (
    malformed,
    read_blob,
    read_timestamp,
    write_blob,
    write_timestamp,
)
from homeport.engine.wire.errors import WireError

_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


def read_body(body: bytes, shape: Shape | None) -> dict[str, Any]:
    """The members of `shape` in a JSON body; members that the model does not know are ignored, as AWS does."""
    if not body.strip() or shape is None:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise malformed("The request body must be a JSON object.")
    return read(value, shape, "")


def read(value: Any, shape: Shape, path: str) -> Any:
    """A JSON value as the shape says; raises SerializationException where it is of another kind."""
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return value
        if not isinstance(value, dict):
            raise _unexpected(value, "a structure", path)
        names = {
            member.serialization.get("name", name): (name, member) for name, member in shape.members.items()
        }
        found = {}
        for key, item in value.items():
            if item is not None and key in names:
                name, member = names[key]
                found[name] = read(item, member, f"{path}.{name}" if path else name)
        return found
    if kind == "list":
        if not isinstance(value, list):
            raise _unexpected(value, "a list", path)
        return [read(item, shape.member, f"{path}.{at}") for at, item in enumerate(value, 1)]
    if kind == "map":
        if not isinstance(value, dict):
            raise _unexpected(value, "a map", path)
        return {
            key: read(item, shape.value, f"{path}.{key}") for key, item in value.items() if item is not None
        }
    if kind == "timestamp":
        return read_timestamp(value)
    if kind == "blob":
        return read_blob(value)
    allowed = _SCALARS.get(kind, (object,))
    if not isinstance(value, allowed) or (
        isinstance(value, bool) and bool not in allowed and object not in allowed
    ):
        if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
            return int(value)
        raise _unexpected(value, f"a value of type {kind}", path)
    return value


def write(value: Any, shape: Shape) -> Any:
    """A value as JSON by its shape; members that are None are left out."""
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return value
        members = shape.members
        return {
            members[name].serialization.get("name", name): write(item, members[name])
            for name, item in value.items()
            if item is not None and name in members
        }
    if kind == "list":
        return [write(item, shape.member) for item in value]
    if kind == "map":
        return {key: write(item, shape.value) for key, item in value.items()}
    if kind == "timestamp":
        return write_timestamp(value, shape, "unixTimestamp")
    if kind == "blob":
        return write_blob(value)
    return value


def write_body(value: dict[str, Any], shape: Shape | None) -> bytes:
    """A response body."""
    return _dump(write(value, shape)) if shape is not None else b"{}"


def write_error(error: WireError) -> bytes:
    """An error body: `__type`, the message under the name that the shape has for it, and its other members."""
    shape = error.shape
    body: dict[str, Any] = {
        "__type": shape.name if shape else error.code,
        _message_member(shape): error.message,
    }
    if shape:
        body |= write(error.members, shape)
    return _dump(body)


def _message_member(shape: StructureShape | None) -> str:
    return "Message" if shape and "Message" in shape.members else "message"


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _unexpected(value: Any, expected: str, path: str) -> Exception:
    found = {dict: "a structure", list: "a list", str: "a string", bool: "a boolean"}.get(
        type(value), "a number"
    )
    return malformed(f"{expected} was expected, but {found} was found{f' at {path!r}' if path else ''}")
