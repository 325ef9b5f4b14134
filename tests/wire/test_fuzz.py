"""Malformed requests get AWS's errors: never a 5xx (but 501 for what is not implemented), never a traceback.

`FUZZ_EXAMPLES=1000` sends as many batches of ten; CI sends fewer.
"""

from __future__ import annotations

import http.client
import json
import os
from contextlib import closing
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import cbor2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import OperationModel, Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeport.engine.main import SERVICES
from homeport.engine.wire import model
from homeport.pytest_plugin import RunningEngine

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
BATCH = 10
NATIVE = {service.name: service for service in sorted(SERVICES, key=lambda service: service.name)}
NAME = "fuzz"
"""What everything is called that is there before: requests go further than to the first `not found`."""

garbage = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", "*", "../../etc/passwd", "arn:aws:iam::123456789012:role/none", "\x00", "a" * 3000, "%s%n"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Mostly what the shape asks for, sometimes anything."""
    return st.one_of(_right(shape, depth), _right(shape, depth), _right(shape, depth), garbage)


def _right(shape: Shape, depth: int) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if depth > 3:
        return garbage
    if kind == "structure":
        members = list(shape.members.items())[:8]
        return st.fixed_dictionaries(
            {}, optional={name: values(member, depth + 1) for name, member in members}
        )
    if kind == "list":
        return st.lists(values(shape.member, depth + 1), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=8), values(shape.value, depth + 1), max_size=3)
    if kind == "string":
        return st.sampled_from(shape.enum) if shape.enum else st.one_of(st.just(NAME), st.text(max_size=30))
    if kind in ("integer", "long"):
        return st.integers(-10, 10_000)
    if kind in ("float", "double"):
        return st.floats(0, 1000)
    return st.booleans() if kind == "boolean" else st.text(max_size=10)


@cache
def _parameters(service: str, name: str) -> st.SearchStrategy[Any]:
    shape = model.operations(service)[name].input_shape
    return values(shape) if shape else st.just({})


KNOWN = [(service, name) for service in NATIVE for name in sorted(model.operations(service))]
IMPLEMENTED = [(service, name) for service, name in KNOWN if name in NATIVE[service].operations]
OPERATIONS = st.one_of(st.sampled_from(KNOWN), *[st.sampled_from(IMPLEMENTED)] * 3)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, str, dict[str, str], bytes]:
    """Service, method, path, headers and body of a request that is nearly right."""
    service, name = draw(OPERATIONS)
    operation = model.operations(service)[name]
    params = draw(_parameters(service, name))
    params = params if isinstance(params, dict) else {"x": params}
    if "targetPrefix" in operation.service_model.metadata and draw(st.integers(0, 2)) == 0:
        method, path, headers, body = _encode_cbor(operation, params)
    else:
        method, path, headers, body = _encode(operation, params)
    if draw(st.integers(0, 9)) == 0:
        body = draw(st.binary(max_size=200))
    elif body and draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + draw(st.binary(max_size=2)) + body[at + draw(st.integers(0, 3)) :]
    if draw(st.integers(0, 9)) == 0:
        path += draw(st.sampled_from(["?acl", "/%00", "/..%2f..", "?versionId=%ff", "//", "?x-id=1&uploads"]))
    return service, method, path, headers, body


def _encode(operation: OperationModel, params: dict[str, Any]) -> tuple[str, str, dict[str, str], bytes]:
    metadata = operation.service_model.metadata
    offered = metadata.get("protocols", [metadata["protocol"]])
    if "json" in offered:
        target = f"{metadata['targetPrefix']}.{operation.name}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        return "POST", "/", headers, json.dumps(params).encode("utf-8", "replace")
    if "query" in offered:
        form = {"Action": operation.name, "Version": metadata["apiVersion"], **_flatten(params)}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return "POST", "/", headers, urlencode(form, errors="replace").encode()
    uri = operation.http["requestUri"]
    for name in operation.input_shape.members if operation.input_shape else ():
        text = quote(str(params.get(name, "x")), safe="", errors="replace") or "x"
        uri = uri.replace(f"{{{name}}}", text).replace(f"{{{name}+}}", text)
    body = (
        json.dumps(params).encode("utf-8", "replace")
        if metadata["protocol"] == "rest-json"
        else b"<a><b/></a>"
    )
    return operation.http["method"], uri, {}, body


def _encode_cbor(operation: OperationModel, params: dict[str, Any]) -> tuple[str, str, dict[str, str], bytes]:
    prefix = operation.service_model.metadata["targetPrefix"]
    headers = {"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}
    return "POST", f"/service/{prefix}/operation/{operation.name}", headers, cbor2.dumps(params)


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = [(f"member.{at}", item) for at, item in enumerate(value, 1)]  # type: ignore[assignment]
    else:
        return {prefix: str(value)}
    flat: dict[str, str] = {}
    for name, item in items:
        flat |= _flatten(item, f"{prefix}.{name}" if prefix else str(name))
    return flat


def populate(engine: RunningEngine) -> None:
    engine.client("s3").create_bucket(Bucket=NAME)
    engine.client("s3").put_object(Bucket=NAME, Key=NAME, Body=b"x")
    engine.client("ecs").create_cluster(clusterName=NAME)
    container = {"name": NAME, "image": NAME, "memory": 16}
    engine.client("ecs").register_task_definition(family=NAME, containerDefinitions=[container])
    engine.client("ecs").create_service(cluster=NAME, serviceName=NAME, taskDefinition=NAME, desiredCount=0)
    engine.client("ecr").create_repository(repositoryName=NAME)
    engine.client("logs").create_log_group(logGroupName=NAME)
    engine.client("logs").create_log_stream(logGroupName=NAME, logStreamName=NAME)
    engine.client("ssm").put_parameter(Name=NAME, Value=NAME, Type="String")
    engine.client("secretsmanager").create_secret(Name=NAME, SecretString=NAME)
    engine.client("iam").create_user(UserName=NAME)
    engine.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=TRUST)
    engine.client("events").put_rule(Name=NAME, ScheduleExpression="rate(1 day)")
    engine.client("codecommit").create_repository(repositoryName=NAME)
    engine.client("codedeploy").create_application(applicationName=NAME, computePlatform="ECS")
    engine.client("cloudformation").create_stack(StackName=NAME, TemplateBody=TEMPLATE)


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codebuild.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
TEMPLATE = "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: fuzz}}}"


def test_malformed_requests_are_refused_in_order(own_engine: RunningEngine) -> None:
    own_engine.start()
    populate(own_engine)
    connection = http.client.HTTPConnection("127.0.0.1", own_engine.port, timeout=30)
    credentials = Credentials(own_engine.env["AWS_ACCESS_KEY_ID"], own_engine.env["AWS_SECRET_ACCESS_KEY"])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(requests(), min_size=BATCH, max_size=BATCH))
    def send(batch: list[tuple[str, str, str, dict[str, str], bytes]]) -> None:
        for service, method, path, headers, body in batch:
            metadata = model.load(service).metadata
            name = metadata.get("signingName") or metadata["endpointPrefix"]
            request = AWSRequest(method, f"{own_engine.url}{path}", headers=headers, data=body)
            SigV4Auth(credentials, name, own_engine.region).add_auth(request)
            prepared = request.prepare()
            target = prepared.url.removeprefix(own_engine.url)
            connection.request(method, target or "/", body=prepared.body, headers=dict(prepared.headers))
            response = connection.getresponse()
            text = response.read()
            assert response.status < 500 or response.status == 501, (
                service,
                method,
                path,
                headers,
                body,
                text,
            )

    with closing(connection):
        send()

    assert "Traceback" not in (own_engine.data / "engine.log").read_text()
