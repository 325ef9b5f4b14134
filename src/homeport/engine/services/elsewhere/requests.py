"""Calls of other services as HTTP requests, written and read by botocore's own client-side codecs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore import parsers, serialize
from botocore.model import OperationModel

from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request, Response

SERVICE_HEADER = "x-homeport-answered-by"


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b""}


async def to_http(call: Call) -> tuple[Request, bytes]:
    """The request that a client would send for this call, signed in name only: the caller is known already."""
    serializer = serialize.create_serializer(_protocol(call.operation), include_validation=False)
    params = {name: await _whole(value) for name, value in call.params.items()}
    parts = serializer.serialize_to_request(params, call.operation)
    target = urlsplit(parts["url_path"])
    query = parts.get("query_string") or {}
    raw_query = "&".join(
        filter(None, (target.query, query if isinstance(query, str) else urlencode(query, True)))
    )
    body = parts.get("body") or b""
    if isinstance(body, dict):
        body = urlencode(body, doseq=True).encode()
    elif isinstance(body, str):
        body = body.encode()
    metadata = call.operation.service_model.metadata
    signing_name = metadata.get("signingName") or metadata["endpointPrefix"]
    headers = {str(name).lower(): _text(value) for name, value in parts.get("headers", {}).items()}
    headers["host"] = f"{metadata['endpointPrefix']}.{call.region}.amazonaws.com"
    headers["authorization"] = authorization(call, signing_name)
    headers["content-length"] = str(len(body))
    return (
        Request(
            method=parts["method"],
            raw_path=quote(target.path, safe="/%~:@+$,"),
            raw_query=raw_query,
            headers=headers,
            client=call.source_ip,
            secure=True,
            receive=_no_body,
        ),
        body,
    )


async def _whole(value: Any) -> Any:
    """A streamed member as bytes; anything else as it is."""
    if isinstance(value, AsyncIterator):
        return b"".join([chunk async for chunk in value])
    return value


def authorization(call: Call, signing_name: str) -> str:
    """An Authorization header that names the call's service and region, with an empty signature."""
    scope = f"20000101/{call.region}/{signing_name}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={call.account}/{scope}, SignedHeaders=host, Signature={'0' * 64}"


def from_http(response: Response, call: Call) -> dict[str, Any]:
    """The output in a response. Raises AwsError."""
    assert isinstance(response.body, bytes)
    parser = parsers.create_parser(_protocol(call.operation))
    shape = call.operation.output_shape
    payload = shape.members.get(shape.serialization.get("payload")) if shape else None
    binary = payload is not None and payload.type_name == "blob" and response.status < 300
    # Given bytes, botocore reads a binary payload as text; a stream it hands on untouched.
    body = BytesIO(response.body) if binary else response.body
    answer = {"status_code": response.status, "headers": response.headers, "body": body}
    parsed = parser.parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    if binary and shape:
        parsed[shape.serialization["payload"]] = response.body
    if response.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code") or "InternalFailure", error.get("Message") or "", response.status)
    return parsed


def _protocol(operation: OperationModel) -> str:
    metadata = operation.service_model.metadata
    offered = [name for name in metadata.get("protocols", [metadata["protocol"]]) if "cbor" not in name]
    return offered[0] if offered else metadata["protocol"]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
