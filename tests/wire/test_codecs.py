"""Every shape of every protocol goes through the engine's codecs and botocore's own, and comes out the same."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from botocore import parsers, serialize
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, Shape

from homeport.engine.wire import codecs, model, routing
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request

SERVICES = [
    "application-autoscaling",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codecommit",
]
SERVICES += [
    "codeconnections",
    "codedeploy",
    "codepipeline",
    "ecr",
    "ecs",
    "elbv2",
    "events",
    "iam",
    "lambda",
    "logs",
]
SERVICES += ["s3", "secretsmanager", "sns", "ssm", "sts"]
CBOR = ["cloudwatch", "codebuild", "codedeploy", "codepipeline"]
SPOKEN = [*((service, False) for service in SERVICES), *((service, True) for service in CBOR)]
MOMENT = 1767182400
MAX_DEPTH = 8
SPECIAL = {
    "ListDirectoryBuckets",  # told from ListBuckets by its host alone
    "GetBucketLocation",  # botocore reads its bare root element outside the shapes
    "GetBucketNotification",  # deprecated: its model has a flattened list that botocore does not read back
    "WriteGetObjectResponse",  # goes to a host of S3 Object Lambda
}


@pytest.mark.parametrize(("service", "cbor"), SPOKEN)
def test_what_clients_send_is_read_as_they_meant_it(service: str, cbor: bool) -> None:
    for operation in model.operations(service).values():
        shape = operation.input_shape
        if (
            shape is None
            or operation.has_event_stream_input
            or operation.deprecated
            or operation.name in SPECIAL
        ):
            continue
        sent = _sample(shape, 0)
        request, body = _client_request(operation, sent, cbor)
        route = _route(request, body, operation)
        assert route is not None and route.operation is not None
        assert route.operation.name == operation.name

        read = codecs.read(route.wire, request, body, operation)

        assert _plain(read, shape) == _plain(sent, shape), operation.name


@pytest.mark.parametrize(("service", "cbor"), SPOKEN)
def test_what_the_engine_answers_is_read_by_clients(service: str, cbor: bool) -> None:
    for operation in model.operations(service).values():
        shape = operation.output_shape
        if shape is None or operation.has_event_stream_output or operation.name in SPECIAL:
            continue
        answered = _sample(shape, 0)
        for name, member in shape.members.items():
            if member.serialization.get("location") == "statusCode":
                answered[name] = 200

        response = codecs.write(codecs.Wire(_protocol(operation, cbor), {}), answered, operation, "id-1")

        assert isinstance(response.body, bytes)
        headers = HeadersDict(response.headers)
        answer: dict[str, Any] = {"status_code": response.status, "headers": headers, "body": response.body}
        parsed = parsers.create_parser(_client_protocol(operation, cbor)).parse(answer, shape)
        parsed.pop("ResponseMetadata")
        if (streaming := shape.serialization.get("payload")) and shape.members[streaming].type_name == "blob":
            parsed[streaming] = response.body
        assert _plain(parsed, shape) == _plain(answered, shape), operation.name


def test_errors_go_by_their_codes_on_the_wire() -> None:
    elbv2 = model.load("elbv2")
    error = AwsError("ALPNPolicyNotSupportedException", "no such policy")

    response = codecs.write_error(codecs.Wire("query", {}), error, "id-1", elbv2)

    assert isinstance(response.body, bytes)
    assert b"<Code>ALPNPolicyNotFound</Code>" in response.body


def test_a_query_request_without_a_version_means_the_newest() -> None:
    request = _post({"content-type": "application/x-www-form-urlencoded"})

    route = routing.by_action("elasticloadbalancing", request, b"Action=DescribeLoadBalancers")

    assert route
    assert route.service == "elbv2"


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**30])
def test_an_integer_of_more_than_64_bits_is_refused(number: int) -> None:
    by_json = model.operations("logs")["get_log_events"]
    by_form = model.operations("iam")["list_users"]
    wires = [
        (codecs.Wire("json-1.1", {}), f'{{"limit": {number}}}', by_json),
        (codecs.Wire("query", {}), f"MaxItems={number}", by_form),
    ]
    for wire, body, operation in wires:
        with pytest.raises(AwsError, match="SerializationException"):
            codecs.read(wire, _post({}), body.encode(), operation)


def test_a_value_of_another_kind_is_refused_with_the_way_to_it() -> None:
    body = b'{"cluster": "c", "services": ["s", 1]}'

    with pytest.raises(AwsError, match=r"a value of type string was expected.* at 'services\.2'"):
        codecs.read(
            codecs.Wire("json-1.1", {}), _post({}), body, model.operations("ecs")["describe_services"]
        )


def test_xml_tells_texts_as_they_are_and_grantees_by_their_type() -> None:
    operation = model.operations("s3")["get_object_acl"]
    grant = {"Grantee": {"Type": "CanonicalUser", "DisplayName": "<a & b>\r\n"}, "Permission": "READ"}

    body = codecs.write(codecs.Wire("rest-xml", {}), {"Grants": [grant]}, operation, "id-1").body

    assert isinstance(body, bytes)
    assert b'xsi:type="CanonicalUser"><DisplayName>&lt;a &amp; b&gt;&#13;\n</DisplayName>' in body


def _post(headers: dict[str, str]) -> Request:
    receive = asyncio.Queue().get
    return Request("POST", "/", "", headers, client="", secure=False, receive=receive)  # type: ignore[arg-type]


def _sample(shape: Shape, depth: int) -> Any:
    """A value of the shape with every member set, made from its name alone."""
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return {"any": "thing"}
        if depth >= MAX_DEPTH and not shape.is_tagged_union:
            return {}
        members = {
            name: _sample(member, depth + 1)
            for name, member in shape.members.items()
            if not member.serialization.get("eventpayload")
        }
        if shape.is_tagged_union:
            first = next(iter(members))
            return {first: members[first]}
        return members
    if kind == "list":
        return [_sample(shape.member, depth + 1)] * 2
    if kind == "map":
        return {_sample(shape.key, depth + 1): _sample(shape.value, depth + 1)}
    if kind in ("integer", "long"):
        return zlib.crc32(shape.name.encode()) % 1000 + 1
    if kind in ("float", "double"):
        return 0.5
    if kind == "boolean":
        return True
    if kind == "timestamp":
        return MOMENT
    if kind == "blob":
        return b"bl\x00ob"
    if shape.enum:
        return shape.enum[0]
    return f"text & <{shape.name.lower()}>" if "jsonvalue" not in shape.serialization else '{"a": 1}'


def _plain(value: Any, shape: Shape) -> Any:
    """The value with timestamps as numbers and what the wire cannot tell from absence left out."""
    if shape.type_name == "structure" and not shape.is_document_type:
        members = {
            name: _plain(item, shape.members[name]) for name, item in value.items() if name in shape.members
        }
        return {name: item for name, item in members.items() if item not in ({}, [])}
    if shape.type_name == "list":
        return [item for item in (_plain(item, shape.member) for item in value) if item not in ({}, [])]
    if shape.type_name == "map":
        return {key: _plain(item, shape.value) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return value.timestamp() if hasattr(value, "timestamp") else float(value)
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _client_request(operation: OperationModel, sent: dict[str, Any], cbor: bool) -> tuple[Request, bytes]:
    serializer = serialize.create_serializer(_client_protocol(operation, cbor), include_validation=False)
    parts = serializer.serialize_to_request(sent, operation)
    path, _, literal = parts["url_path"].partition("?")
    query = parts.get("query_string") or {}
    encoded = "&".join(filter(None, (literal, urlencode(query, doseq=True, quote_via=quote))))
    body = parts["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True).encode()
    headers = {name.lower(): str(value) for name, value in parts["headers"].items()}
    headers.setdefault("content-type", "application/x-www-form-urlencoded")
    return (
        Request(
            method=parts["method"],
            raw_path=path,
            raw_query=encoded,
            headers=headers,
            client="",
            secure=False,
            receive=asyncio.Queue().get,  # type: ignore[arg-type]
            query=parse_qsl(encoded, keep_blank_values=True),
        ),
        body.encode() if isinstance(body, str) else body,
    )


def _route(request: Request, body: bytes, operation: OperationModel) -> routing.Route | None:
    metadata = operation.service_model.metadata
    name = metadata.get("signingName") or metadata["endpointPrefix"]
    return (
        routing.by_target(request) or routing.by_path(name, request) or routing.by_action(name, request, body)
    )


def _client_protocol(operation: OperationModel, cbor: bool) -> str:
    metadata = operation.service_model.metadata
    spoken = metadata.get("protocols", [metadata["protocol"]])
    return next(name for name in spoken if ("cbor" in name) == cbor)


def _protocol(operation: OperationModel, cbor: bool) -> codecs.Protocol:
    protocol = _client_protocol(operation, cbor)
    names = {"json": "json-1.1", "smithy-rpc-v2-cbor": "cbor"}
    return names.get(protocol, protocol)  # type: ignore[return-value]
