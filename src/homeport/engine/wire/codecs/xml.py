"""XML bodies, read and written by the shapes of the model (REST-XML, and the answers of Query)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.engine.wire.codecs.values import read_text, write_text
from homeport.engine.wire.errors import AwsError

_XSI = "http://www.w3.org/2001/XMLSchema-instance"


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


def write(parent: Element, name: str, value: Any, shape: Shape) -> None:
    """Append `value` to `parent` under `name`; what is None is left out."""
    if value is None:
        return
    if isinstance(shape, ListShape):
        _write_list(parent, name, value, shape)
    elif isinstance(shape, MapShape):
        _write_map(parent, name, value, shape)
    elif isinstance(shape, StructureShape):
        write_members(SubElement(parent, name), value, shape)
    else:
        SubElement(parent, name).text = write_text(value, shape, "iso8601")


def write_members(node: Element, value: dict[str, Any], shape: StructureShape) -> None:
    """Append the members of a structure to its element, in the model's order."""
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None or member.serialization.get("location"):
            continue
        if member.serialization.get("xmlAttribute"):
            node.set(f"{{{_XSI}}}{member.serialization['name'].partition(':')[2]}", str(item))
        else:
            write(node, _member_name(name, member), item, member)


def _write_list(parent: Element, name: str, value: Any, shape: ListShape) -> None:
    if shape.serialization.get("flattened"):
        node, item_name = parent, shape.member.serialization.get("name", name)
    else:
        node, item_name = SubElement(parent, name), shape.member.serialization.get("name", "member")
    for item in value:
        write(node, item_name, item, shape.member)


def _write_map(parent: Element, name: str, value: dict[str, Any], shape: MapShape) -> None:
    flattened = shape.serialization.get("flattened")
    node = parent if flattened else SubElement(parent, name)
    for key, item in value.items():
        entry = SubElement(node, name if flattened else "entry")
        SubElement(entry, shape.key.serialization.get("name", "key")).text = str(key)
        write(entry, shape.value.serialization.get("name", "value"), item, shape.value)


def dump(root: Element) -> bytes:
    """The document's bytes."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8")


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
