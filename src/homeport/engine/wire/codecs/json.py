"""JSON bodies (JSON 1.0, 1.1 and the bodies of REST-JSON), read and written by the shapes of the model.

What to do with values of a shape is found out once, when the first of them comes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.engine.wire.codecs.values import (
    check_size,
    malformed,
    read_blob,
    read_timestamp,
    write_blob,
    write_timestamp,
)
from homeport.engine.wire.errors import WireError

Convert = Callable[[Any], Any]

_SCALARS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


class _Unexpected(Exception):
    """A value of another kind than the shape says. `path` leads to it, the innermost name first."""

    def __init__(self, value: Any, expected: str) -> None:
        kinds = {dict: "a structure", list: "a list", str: "a string", bool: "a boolean"}
        self.message = f"{expected} was expected, but {kinds.get(type(value), 'a number')} was found"
        self.path: list[str] = []

    def at(self, step: object) -> _Unexpected:
        self.path.append(str(step))
        return self


def read_body(body: bytes, shape: Shape | None) -> dict[str, Any]:
    """The members of `shape` in a JSON body; members that the model does not know are ignored, as AWS does."""
    if shape is None or not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except ValueError:
        raise malformed("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise malformed("The request body must be a JSON object.")
    return read(value, shape)


def read(value: Any, shape: Shape) -> Any:
    """A JSON value as the shape says; raises SerializationException where it is of another kind."""
    try:
        return _reader(shape)(value)
    except _Unexpected as error:
        place = f" at {'.'.join(reversed(error.path))!r}" if error.path else ""
        raise malformed(error.message + place) from None


@cache
def _reader(shape: Shape) -> Convert:
    if isinstance(shape, StructureShape):
        return (lambda value: value) if shape.is_document_type else _structure_reader(shape)
    if isinstance(shape, ListShape):
        return _list_reader(shape)
    if isinstance(shape, MapShape):
        return _map_reader(shape)
    special: dict[str, Convert] = {"timestamp": read_timestamp, "blob": read_blob}
    return special.get(shape.type_name) or _scalar_reader(shape.type_name)


def _structure_reader(shape: StructureShape) -> Convert:
    members = {
        member.serialization.get("name", name): (name, member) for name, member in shape.members.items()
    }

    def read_structure(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Unexpected(value, "a structure")
        found = {}
        for key, item in value.items():
            if item is not None and key in members:
                name, member = members[key]
                try:
                    found[name] = _reader(member)(item)
                except _Unexpected as error:
                    raise error.at(name) from None
        return found

    return read_structure


def _list_reader(shape: ListShape) -> Convert:
    def read_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Unexpected(value, "a list")
        found = []
        for number, item in enumerate(value, 1):
            try:
                found.append(_reader(shape.member)(item))
            except _Unexpected as error:
                raise error.at(number) from None
        return found

    return read_list


def _map_reader(shape: MapShape) -> Convert:
    def read_map(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Unexpected(value, "a map")
        found = {}
        for key, item in value.items():
            if item is not None:
                try:
                    found[key] = _reader(shape.value)(item)
                except _Unexpected as error:
                    raise error.at(key) from None
        return found

    return read_map


def _scalar_reader(kind: str) -> Convert:
    allowed = _SCALARS.get(kind, (str,))

    def read_scalar(value: Any) -> Any:
        if int in allowed and float not in allowed and isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) not in allowed:
            raise _Unexpected(value, f"a value of type {kind}")
        return check_size(value) if int in allowed else value

    return read_scalar


def write(value: Any, shape: Shape) -> Any:
    """A value as JSON by its shape; members that are None are left out."""
    return _writer(shape)(value)


@cache
def _writer(shape: Shape) -> Convert:
    if isinstance(shape, StructureShape):
        return (lambda value: value) if shape.is_document_type else _structure_writer(shape)
    if isinstance(shape, ListShape):
        return lambda value: [_writer(shape.member)(item) for item in value]
    if isinstance(shape, MapShape):
        return lambda value: {key: _writer(shape.value)(item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return lambda value: write_timestamp(value, shape, "unixTimestamp")
    return write_blob if shape.type_name == "blob" else lambda value: value


def _structure_writer(shape: StructureShape) -> Convert:
    members = {
        name: (member.serialization.get("name", name), member) for name, member in shape.members.items()
    }

    def write_structure(value: Any) -> Any:
        found = {}
        for name, item in value.items():
            if item is not None and name in members:
                wire, member = members[name]
                found[wire] = _writer(member)(item)
        return found

    return write_structure


def write_body(value: dict[str, Any], shape: Shape | None) -> bytes:
    """A response body."""
    return orjson.dumps(write(value, shape)) if shape is not None else b"{}"


def write_error(error: WireError) -> bytes:
    """An error body: `__type`, the message under the name that the shape has for it, and its other members."""
    shape = error.shape
    body: dict[str, Any] = {
        "__type": shape.name if shape else error.code,
        _message_member(shape): error.message,
    }
    if shape:
        body |= write(error.members, shape)
    return orjson.dumps(body)


def _message_member(shape: StructureShape | None) -> str:
    return "Message" if shape and "Message" in shape.members else "message"
