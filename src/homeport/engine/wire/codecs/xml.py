"""XML bodies, read and written by the shapes of the model (REST-XML, and the answers of Query)."""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.engine.wire.codecs.values import read_text, write_text
from homeport.engine.wire.errors import AwsError

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ESCAPED = {"\r": "&#13;"}


def parse(body: bytes) -> Element:
    """The root element; document types are refused, they are never sent by AWS's clients and can be bombs."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise _malformed()
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError):
        raise _malformed() from None


def read(node: Element, shape: Shape) -> Any:
    """An element's value by its shape; unknown elements are ignored."""
    if isinstance(shape, StructureShape):
        return _read_structure(node, shape)
    if isinstance(shape, ListShape):
        name = shape.member.serialization.get("name", "member")
        return [read(child, shape.member) for child in node if _local(child) == name]
    if isinstance(shape, MapShape):
        return _read_map(list(node), shape)
    return read_text(node.text or "", shape)


def _read_structure(node: Element, shape: StructureShape) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute"):
            wire = member.serialization["name"].partition(":")[2]
            value = node.get(f"{{{_XSI}}}{wire}")
            if value is not None:
                found[name] = value
            continue
        wire = _member_name(name, member)
        children = [child for child in node if _local(child) == wire]
        if not children:
            continue
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            found[name] = [read(child, member.member) for child in children]
        elif isinstance(member, MapShape) and member.serialization.get("flattened"):
            found[name] = _read_map(children, member)
        else:
            found[name] = read(children[0], member)
    return found


def _read_map(entries: list[Element], shape: MapShape) -> dict[str, Any]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    found = {}
    for entry in entries:
        parts = {_local(child): child for child in entry}
        if key_name in parts and value_name in parts:
            found[parts[key_name].text or ""] = read(parts[value_name], shape.value)
    return found


def write(name: str, value: Any, shape: Shape) -> str:
    """The elements of a value under a name; what is None is left out."""
    if value is None:
        return ""
    if isinstance(shape, ListShape):
        return _write_list(name, value, shape)
    if isinstance(shape, MapShape):
        return _write_map(name, value, shape)
    if isinstance(shape, StructureShape):
        return element(name, write_members(value, shape), _attributes(value, shape))
    return text_element(name, write_text(value, shape, "iso8601"))


def write_members(value: dict[str, Any], shape: StructureShape) -> str:
    """The elements of a structure's members, in the model's order."""
    return "".join(
        [
            write(tag, value[name], member)
            for name, tag, member in _written_members(shape)
            if value.get(name) is not None
        ]
    )


def element(name: str, content: str, attributes: str = "") -> str:
    """An element around others."""
    return f"<{name}{attributes}>{content}</{name}>"


def text_element(name: str, text: str) -> str:
    """An element around a text. Readers take a bare carriage return for a line feed, so it is escaped too."""
    return f"<{name}>{escape(text, _ESCAPED)}</{name}>"


def document(name: str, content: str, namespace: str | None = None) -> bytes:
    """The document whose root has this name and content."""
    root = element(name, content, f' xmlns="{namespace}"' if namespace else "")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode("utf-8", "xmlcharrefreplace")


@cache
def _written_members(shape: StructureShape) -> tuple[tuple[str, str, Shape], ...]:
    """The members that are elements: name, name on the wire, shape."""
    return tuple(
        (name, _member_name(name, member), member)
        for name, member in shape.members.items()
        if not member.serialization.get("location") and not member.serialization.get("xmlAttribute")
    )


def _attributes(value: dict[str, Any], shape: StructureShape) -> str:
    """The one attribute that AWS's models know: `xsi:type`, of who is granted something in S3."""
    for name in _attribute_members(shape):
        if value.get(name) is not None:
            wire = shape.members[name].serialization["name"]
            return f" xmlns:xsi={quoteattr(_XSI)} {wire}={quoteattr(str(value[name]))}"
    return ""


@cache
def _attribute_members(shape: StructureShape) -> tuple[str, ...]:
    return tuple(name for name, member in shape.members.items() if member.serialization.get("xmlAttribute"))


def _write_list(name: str, value: Any, shape: ListShape) -> str:
    if shape.serialization.get("flattened"):
        tag = shape.member.serialization.get("name", name)
        return "".join([write(tag, item, shape.member) for item in value])
    tag = shape.member.serialization.get("name", "member")
    return element(name, "".join([write(tag, item, shape.member) for item in value]))


def _write_map(name: str, value: dict[str, Any], shape: MapShape) -> str:
    flattened = shape.serialization.get("flattened")
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    entries = "".join(
        [
            element(
                name if flattened else "entry",
                text_element(key_name, str(key)) + write(value_name, item, shape.value),
            )
            for key, item in value.items()
        ]
    )
    return entries if flattened else element(name, entries)


def _member_name(name: str, shape: Shape) -> str:
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return shape.serialization.get("name") or shape.member.serialization.get("name") or name
    return shape.serialization.get("name", name)


def _local(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _malformed() -> AwsError:
    return AwsError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
        400,
    )
