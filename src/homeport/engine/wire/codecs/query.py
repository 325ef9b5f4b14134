"""The Query protocol: form parameters in, XML out.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from homeport.engine.wire.codecs import xml
from homeport.engine.wire.codecs.values import malformed, read_text
from homeport.engine.wire.errors import WireError

_Tree = dict[str, Any]
MAX_DEPTH = 32


def read(parameters: dict[str, str], shape: StructureShape | None) -> dict[str, Any]:
    """The operation's input from form parameters such as `Tags.member.1.Key`."""
    if shape is None:
        return {}
    tree: _Tree = {}
    for name, value in parameters.items():
        parts = name.split(".")
        if len(parts) > MAX_DEPTH:
            raise malformed(f"the parameter {name[:64]!r} is nested too deeply")
        node = tree
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise malformed(f"the parameter {name[:64]!r} is both a value and a structure")
        if isinstance(node.get(parts[-1]), dict):
            raise malformed(f"the parameter {name[:64]!r} is both a value and a structure")
        node[parts[-1]] = value
    return _read_structure(tree, shape)


def _read(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _read_structure(_as_tree(value), shape)
    if isinstance(shape, ListShape):
        if value == "":
            return []
        tree = _as_tree(value)
        if not shape.serialization.get("flattened"):
            tree = _as_tree(
                tree.get(shape.member.serialization.get("name", "member"), tree.get("member", tree))
            )
        return [_read(item, shape.member) for item in _numbered(tree)]
    if isinstance(shape, MapShape):
        return _read_map(_as_tree(value), shape)
    if isinstance(value, dict):
        raise malformed(f"a value of type {shape.type_name} was expected, but a structure was found")
    return read_text(value, shape)


def _read_structure(tree: _Tree, shape: StructureShape) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            wire = member.member.serialization.get("name", wire)
        if wire in tree:
            found[name] = _read(tree[wire], member)
    return found


def _read_map(tree: _Tree, shape: MapShape) -> dict[str, Any]:
    entries = tree if shape.serialization.get("flattened") else _as_tree(tree.get("entry", {}))
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    found = {}
    for entry in _numbered(entries):
        if not isinstance(entry, dict) or key_name not in entry:
            raise malformed("a map entry without a key was found")
        found[str(entry[key_name])] = _read(entry.get(value_name, ""), shape.value)
    return found


def _numbered(tree: _Tree) -> list[Any]:
    if not all(key.isdecimal() for key in tree):
        raise malformed("list members must be numbered from 1")
    return [tree[key] for key in sorted(tree, key=int)]


def _as_tree(value: Any) -> _Tree:
    if not isinstance(value, dict):
        raise malformed("a structure was expected, but a value was found")
    return value


def write(value: dict[str, Any], operation: OperationModel, request_id: str) -> bytes:
    """`<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`."""
    content = ""
    shape = operation.output_shape
    if shape is not None:
        content = xml.write_members(value, shape)
        if wrapper := shape.serialization.get("resultWrapper"):
            content = xml.element(wrapper, content)
    content += xml.element("ResponseMetadata", xml.text_element("RequestId", request_id))
    namespace = operation.service_model.metadata.get("xmlNamespace")
    return xml.document(f"{operation.name}Response", content, namespace)


def write_error(error: WireError, namespace: str, request_id: str) -> bytes:
    """`<ErrorResponse><Error><Type/><Code/><Message/>…</Error><RequestId/></ErrorResponse>`."""
    told = {"Type": error.fault, "Code": error.code, "Message": error.message}
    content = "".join(xml.text_element(name, text) for name, text in told.items())
    if error.shape:
        content += xml.write_members(error.members, error.shape)
    content = xml.element("Error", content) + xml.text_element("RequestId", request_id)
    return xml.document("ErrorResponse", content, namespace)
