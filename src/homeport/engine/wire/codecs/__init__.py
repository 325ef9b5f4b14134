"""One codec for each of AWS's protocols; the codec of a request is chosen by the request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from botocore.model import OperationModel, ServiceModel

from homeport.engine.wire.codecs import cbor, eventstream, json, query, rest, xml
from homeport.engine.wire.codecs.values import malformed
from homeport.engine.wire.errors import AwsError, WireError
from homeport.engine.wire.http import Request, Response

Protocol = Literal["json-1.0", "json-1.1", "query", "rest-json", "rest-xml", "cbor"]


class Wire(NamedTuple):
    """How one request talks: its protocol and, for REST, what its path's labels hold."""

    protocol: Protocol
    labels: dict[str, str]


def read(
    wire: Wire, request: Request, body: bytes | AsyncIterator[bytes], operation: OperationModel
) -> dict[str, Any]:
    """The operation's input."""
    if wire.protocol in ("rest-json", "rest-xml"):
        return rest.read(request, wire.labels, body, operation)
    assert isinstance(body, bytes)
    if wire.protocol == "query":
        return query.read(form(request, body), operation.input_shape)
    codec = cbor if wire.protocol == "cbor" else json
    return codec.read_body(body, operation.input_shape)


def form(request: Request, body: bytes) -> dict[str, str]:
    """The parameters of a Query request, from its query string and its body."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10_000)
    except ValueError:
        raise malformed("The request body is not a valid form.") from None
    return dict([*request.query, *pairs])


def write(wire: Wire, value: dict[str, Any], operation: OperationModel, request_id: str) -> Response:
    """A successful response."""
    if wire.protocol.startswith("json") and operation.has_event_stream_output:
        shape = operation.get_event_stream_output()
        events = value[_stream_member(operation)]
        response = Response(200, {"content-type": eventstream.CONTENT_TYPE}, eventstream.write(events, shape))
    elif wire.protocol in ("rest-json", "rest-xml"):
        response = rest.write(value, operation)
    elif wire.protocol == "query":
        response = Response(200, {"content-type": "text/xml"}, query.write(value, operation, request_id))
    elif wire.protocol == "cbor":
        response = Response(200, dict(cbor.HEADERS), cbor.write_body(value, operation.output_shape))
    else:
        response = Response(200, _json_type(wire), json.write_body(value, operation.output_shape))
    return _identify(response, wire, request_id)


def _stream_member(operation: OperationModel) -> str:
    """The member of the output that is the event stream."""
    members = operation.output_shape.members
    return next(name for name, member in members.items() if member.serialization.get("eventstream"))


def write_error(
    wire: Wire,
    error: AwsError,
    request_id: str,
    service: ServiceModel | None = None,
    operation: OperationModel | None = None,
    resource: str = "",
) -> Response:
    """An error response as the protocol has it."""
    wired = WireError(error, service, operation)
    if wire.protocol == "query":
        namespace = service.metadata.get("xmlNamespace", "") if service else ""
        response = Response(
            wired.status, {"content-type": "text/xml"}, query.write_error(wired, namespace, request_id)
        )
    elif wire.protocol == "rest-xml":
        body = b"" if wired.status == 304 else _rest_xml_error(wired, resource, request_id)
        response = Response(wired.status, {"content-type": "application/xml"}, body)
    else:
        name = wired.shape.name if wired.shape else wired.code
        as_cbor = wire.protocol == "cbor"
        headers = {**(cbor.HEADERS if as_cbor else _json_type(wire)), "x-amzn-errortype": name}
        if service and "awsQueryCompatible" in service.metadata:
            headers["x-amzn-query-error"] = f"{wired.code};{wired.fault}"
        response = Response(wired.status, headers, (cbor if as_cbor else json).write_error(wired))
    return _identify(response, wire, request_id)


def _rest_xml_error(error: WireError, resource: str, request_id: str) -> bytes:
    told = {"Code": error.code, "Message": error.message, **error.members}
    if resource:
        told["Resource"] = resource
    told |= {"RequestId": request_id, "HostId": "homeport"}
    return xml.document("Error", "".join(xml.text_element(name, str(value)) for name, value in told.items()))


def _json_type(wire: Wire) -> dict[str, str]:
    version = {"json-1.0": "x-amz-json-1.0", "json-1.1": "x-amz-json-1.1"}.get(wire.protocol, "json")
    return {"content-type": f"application/{version}"}


def _identify(response: Response, wire: Wire, request_id: str) -> Response:
    name = "x-amz-request-id" if wire.protocol == "rest-xml" else "x-amzn-requestid"
    response.headers[name] = request_id
    return response
