"""Only who signed right gets in, and who did not is told why."""

from __future__ import annotations

import datetime
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import boto3
import pytest
from botocore import serialize
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


def test_a_wrong_secret_is_refused(engine: RunningEngine) -> None:
    sts = engine.client("sts", aws_secret_access_key="wrong")

    with pytest.raises(ClientError, match="The request signature we calculated does not match") as refused:
        sts.get_caller_identity()

    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ecs", "list_clusters", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_an_unknown_key_is_refused_as_each_protocol_does(
    engine: RunningEngine, service: str, call: str, code: str
) -> None:
    client = engine.client(service, aws_access_key_id="AKIAUNKNOWNUNKNOWN22")

    with pytest.raises(ClientError) as refused:
        getattr(client, call)()

    assert refused.value.response["Error"]["Code"] == code


def test_an_unsigned_call_is_refused(engine: RunningEngine) -> None:
    status, body, _ = _send(
        engine, AWSRequest("POST", engine.url, data="Action=ListUsers&Version=2010-05-08")
    )

    assert status == 403
    assert b"MissingAuthenticationToken" in body


def test_a_changed_body_is_refused(engine: RunningEngine) -> None:
    request = AWSRequest("POST", f"{engine.url}/", data="Action=GetCallerIdentity&Version=2011-06-15")
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    SigV4Auth(_credentials(engine), "sts", engine.region).add_auth(request)
    request.data = "Action=GetSessionToken&Version=2011-06-15"

    status, body, _ = _send(engine, request)

    assert status == 403
    assert b"SignatureDoesNotMatch" in body


def test_a_request_of_yesterday_is_refused(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: yesterday)
    request = AWSRequest("POST", f"{engine.url}/", data="Action=GetCallerIdentity&Version=2011-06-15")
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    SigV4Auth(_credentials(engine), "sts", engine.region).add_auth(request)

    status, body, _ = _send(engine, request)

    assert status == 403
    assert b"Signature expired" in body


def test_a_presigned_url_works_until_it_expires(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="a key/ü+&.txt", Body=b"hello")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "artifacts", "Key": "a key/ü+&.txt"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"hello"

    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: long_ago)
    request = AWSRequest("GET", f"{engine.url}/artifacts/a%20key")
    SigV4QueryAuth(_credentials(engine), "s3", engine.region, expires=60).add_auth(request)
    status, body, _ = _send(engine, request)

    assert status == 403
    assert b"Request has expired" in body


def test_an_operation_that_is_not_implemented_says_so(engine: RunningEngine) -> None:
    with pytest.raises(ClientError, match="homeport does not have ecs:DiscoverPollEndpoint yet") as refused:
        engine.client("ecs").discover_poll_endpoint()

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_client_that_speaks_cbor(engine: RunningEngine) -> None:
    client = _speaking_cbor(engine.client("codebuild"))

    made = client.create_report_group(
        name="unit", type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"}
    )

    assert made["reportGroup"]["created"].timestamp() == pytest.approx(time.time(), abs=300)
    assert client.list_report_groups()["reportGroups"] == [made["reportGroup"]["arn"]]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.start_build(projectName="none")


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"\xa1", b"\x81\x01", b"\xd8\x1d\x00", b"\xa1aa" * 3000, b"\xc1\xfb" + b"\x7f" * 8]
)
def test_cbor_that_is_none_is_refused(engine: RunningEngine, body: bytes) -> None:
    client = _speaking_cbor(engine.client("codebuild"))
    client.meta.events.register(
        "before-call.codebuild.StartBuild", lambda params, **_: params.update(body=body)
    )
    with pytest.raises(ClientError) as refused:
        client.start_build(projectName="x")
    assert refused.value.response["Error"]["Code"] in ("SerializationException", "ValidationException")


def test_permissive_lets_unknown_keys_act_as_root(own_engine: RunningEngine) -> None:
    own_engine.start("--auth", "permissive")
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    sts = boto3.session.Session().client("sts", endpoint_url=own_engine.url, **keys)

    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{own_engine.account}:root"


def _speaking_cbor(client: Any) -> Any:
    """botocore prefers JSON where a service offers it, too."""
    vars(client.meta.service_model)["resolved_protocol"] = "smithy-rpc-v2-cbor"
    client._serializer = serialize.create_serializer("smithy-rpc-v2-cbor")
    return client


def _credentials(engine: RunningEngine) -> Credentials:
    return Credentials(engine.env["AWS_ACCESS_KEY_ID"], engine.env["AWS_SECRET_ACCESS_KEY"])


def _send(engine: RunningEngine, request: AWSRequest) -> tuple[int, bytes, Message]:
    prepared = request.prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    plain = urllib.request.Request(prepared.url, body, dict(prepared.headers), method=prepared.method)
    try:
        with urllib.request.urlopen(plain) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers
