"""The HTTP bindings of REST-JSON and REST-XML: labels, query, headers, payloads.

https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import lru_cache
from json import JSONDecodeError, dumps, loads
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from homeport.engine.wire.codecs import json, xml
from homeport.engine.wire.codecs.values import malformed, read_blob, read_text, write_blob, write_text
from homeport.engine.wire.http import Request, Response

_BODILESS = (204, 304)


def read(
    request: Request,
    labels: dict[str, str],
    body: bytes | AsyncIterator[bytes],
    operation: OperationModel,
) -> dict[str, Any]:
    """The operation's input. A streaming payload is handed on as the iterator that came in."""
    shape = operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    bound: set[str] = set()
    for name, location, wire, member in _bindings(shape):
        if location == "uri" and wire in labels:
            found[name] = read_text(labels[wire], member)
        elif location == "header" and wire in request.headers:
            found[name] = _read_header(request.headers[wire], member)
        elif location == "querystring":
            bound.add(wire)
            if request.query:
                _read_query(request, name, wire, member, found)
        elif location == "headers":
            found[name] = _read_prefixed(request.headers, wire)
    for name, location, _, member in _bindings(shape):
        if location == "querystring" and isinstance(member, MapShape):
            found[name] = {key: value for key, value in request.query if key not in bound}
    _read_payload(body, shape, operation, found)
    return found


@lru_cache(maxsize=512)
def _bindings(shape: StructureShape) -> tuple[tuple[str, str, str, Shape], ...]:
    """The members that are not in the payload: name, location, name there (headers in lower case), shape."""
    found = []
    for name, member in shape.members.items():
        location = member.serialization.get("location", "")
        wire = member.serialization.get("name", name)
        if location:
            found.append((name, location, wire.lower() if location.startswith("header") else wire, member))
    return tuple(found)


def _read_query(request: Request, name: str, wire: str, member: Shape, found: dict[str, Any]) -> None:
    values = [value for key, value in request.query if key == wire]
    if not values or isinstance(member, MapShape):
        return
    if isinstance(member, ListShape):
        found[name] = [read_text(value, member.member) for value in values]
    else:
        found[name] = read_text(values[0], member)


def _read_header(value: str, member: Shape) -> Any:
    if isinstance(member, ListShape):
        return [read_text(item.strip(), member.member) for item in value.split(",")]
    if member.serialization.get("jsonvalue"):
        try:
            return loads(read_blob(value))
        except JSONDecodeError:
            raise malformed("a header that holds JSON is not valid JSON") from None
    return read_text(value, member)


def _read_prefixed(headers: dict[str, str], prefix: str) -> dict[str, str]:
    return {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}


def _read_payload(
    body: bytes | AsyncIterator[bytes],
    shape: StructureShape,
    operation: OperationModel,
    found: dict[str, Any],
) -> None:
    payload = shape.serialization.get("payload")
    as_json = operation.service_model.metadata["protocol"] == "rest-json"
    if payload:
        member = shape.members[payload]
        if member.type_name == "blob" or not isinstance(body, bytes):
            found[payload] = body
        elif member.type_name == "string":
            found[payload] = body.decode("utf-8", "replace")
        elif body.strip():
            found[payload] = json.read_body(body, member) if as_json else xml.read(xml.parse(body), member)
        return
    if not isinstance(body, bytes) or not body.strip():
        return
    members = json.read_body(body, shape) if as_json else xml.read(xml.parse(body), shape)
    for name, value in members.items():
        if "location" not in shape.members[name].serialization:
            found[name] = value


def write(value: dict[str, Any], operation: OperationModel) -> Response:
    """The response: status, headers and payload as the output shape binds them. What the model cannot say (206 for
    a part of an object) an operation says as boto3 tells it: `ResponseMetadata: {HTTPStatusCode, HTTPHeaders}`."""
    beyond = value.get("ResponseMetadata", {})
    response = Response(status=beyond.get("HTTPStatusCode") or operation.http.get("responseCode", 200))
    response.headers.update(beyond.get("HTTPHeaders", {}))
    shape = operation.output_shape
    if shape is None:
        return response
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None:
            continue
        location = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if location == "statusCode":
            response.status = int(item)
        elif location == "header":
            response.headers[wire.lower()] = _write_header(item, member)
        elif location == "headers":
            response.headers.update({f"{wire}{key}".lower(): str(text) for key, text in item.items()})
    if response.status not in _BODILESS:
        _write_payload(value, shape, operation, response)
    return response


def _write_header(value: Any, member: Shape) -> str:
    if isinstance(member, ListShape):
        return ",".join(write_text(item, member.member, "rfc822") for item in value)
    if member.serialization.get("jsonvalue"):
        return write_blob(dumps(value))
    return write_text(value, member, "rfc822")


def _write_payload(
    value: dict[str, Any], shape: StructureShape, operation: OperationModel, response: Response
) -> None:
    payload = shape.serialization.get("payload")
    as_json = operation.service_model.metadata["protocol"] == "rest-json"
    content_type = "application/json" if as_json else "application/xml"
    if payload and shape.members[payload].type_name in ("blob", "string"):
        body = value.get(payload)
        if body is not None:
            response.body = body.encode() if isinstance(body, str) else body
        return
    if payload:
        member = shape.members[payload]
        if (item := value.get(payload)) is None:
            return
        response.body = json.write_body(item, member) if as_json else _document(member, item, operation)
    elif as_json:
        body_members = {
            name: item
            for name, item in value.items()
            if name in shape.members and "location" not in shape.members[name].serialization
        }
        response.body = json.write_body(body_members, shape)
    elif any("location" not in member.serialization for member in shape.members.values()):
        response.body = _document(shape, value, operation)
    else:
        return
    response.headers.setdefault("content-type", content_type)


_ROOTS = {"ListObjectsOutput": "ListBucketResult", "ListObjectsV2Output": "ListBucketResult"}
_ROOTS |= {"ListObjectVersionsOutput": "ListVersionsResult", "ListBucketsOutput": "ListAllMyBucketsResult"}
_ROOTS |= {"ListMultipartUploadsOutput": "ListMultipartUploadsResult", "ListPartsOutput": "ListPartsResult"}
_ROOTS |= {"CreateMultipartUploadOutput": "InitiateMultipartUploadResult"}
_ROOTS |= {
    "CompleteMultipartUploadOutput": "CompleteMultipartUploadResult",
    "DeleteObjectsOutput": "DeleteResult",
}
_ROOTS |= {"GetBucketVersioningOutput": "VersioningConfiguration", "GetObjectTaggingOutput": "Tagging"}
_ROOTS |= {"GetBucketTaggingOutput": "Tagging", "GetBucketAclOutput": "AccessControlPolicy"}
_ROOTS |= {"GetObjectAclOutput": "AccessControlPolicy", "GetBucketCorsOutput": "CORSConfiguration"}
_ROOTS |= {"GetBucketLifecycleConfigurationOutput": "LifecycleConfiguration"}
_ROOTS |= {"GetBucketWebsiteOutput": "WebsiteConfiguration", "GetBucketLoggingOutput": "BucketLoggingStatus"}
_ROOTS |= {"GetObjectAttributesOutput": "GetObjectAttributesResponse"}


def _document(shape: Shape, value: Any, operation: OperationModel) -> bytes:
    """S3's model leaves the names of root elements out; clients that check them expect those of its reference."""
    namespace = operation.service_model.metadata.get("xmlNamespace")
    if isinstance(namespace, dict):
        namespace = namespace.get("uri")
    service_namespace = shape.serialization.get("xmlNamespace", {}).get("uri") or namespace
    if service_namespace is None and operation.service_model.service_name == "s3":
        service_namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    if operation.name == "GetBucketLocation":
        location = escape(value.get("LocationConstraint") or "")
        return xml.document("LocationConstraint", location, service_namespace)
    name = shape.serialization.get("name") or _ROOTS.get(shape.name, shape.name)
    assert isinstance(shape, StructureShape)
    return xml.document(name, xml.write_members(value, shape), service_namespace)
