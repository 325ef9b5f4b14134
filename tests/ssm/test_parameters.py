"""Parameters, through boto3, the aws cli and a running engine."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from homeport.pytest_plugin import RunningEngine


@pytest.fixture
def ssm(engine: RunningEngine) -> Any:
    return engine.client("ssm")


def test_every_version_that_was_answered_survives_a_kill_in_the_middle_of_many_puts(
    own_engine: RunningEngine,
) -> None:
    own_engine.start()
    answered: dict[str, int] = {}

    def put(name: str) -> None:
        ssm = own_engine.client("ssm")
        with contextlib.suppress(ClientError, BotoCoreError):
            while True:
                answer = ssm.put_parameter(Name=name, Value="x", Type="String", Overwrite=True)
                answered[name] = answer["Version"]

    names = [f"/app/{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        putting = [pool.submit(put, name) for name in names]
        while min(answered.get(name, 0) for name in names) < 5:
            time.sleep(0.01)
        own_engine.kill()
        wait(putting)
    own_engine.start()
    found = own_engine.client("ssm").get_parameters(Names=names)["Parameters"]
    # the one that was under way may have been made, too
    assert all(answered[one["Name"]] <= one["Version"] <= answered[one["Name"]] + 1 for one in found)
    assert len(found) == len(names)


def test_values_have_versions_labels_and_a_history(ssm: Any) -> None:
    for value in ("one", "two", "three"):
        ssm.put_parameter(Name="/app/url", Value=value, Type="String", Overwrite=True)
    ssm.label_parameter_version(Name="/app/url", ParameterVersion=2, Labels=["prod", "9no"])
    assert ssm.get_parameter(Name="/app/url")["Parameter"]["Value"] == "three"
    assert ssm.get_parameter(Name="/app/url:1")["Parameter"]["Value"] == "one"
    assert ssm.get_parameter(Name="/app/url:prod")["Parameter"]["Value"] == "two"
    ssm.label_parameter_version(Name="/app/url", Labels=["prod"])
    assert ssm.get_parameter(Name="/app/url:prod")["Parameter"]["Value"] == "three"
    arn = ssm.get_parameter(Name="/app/url")["Parameter"]["ARN"]
    assert ssm.get_parameter(Name=arn)["Parameter"]["Version"] == 3
    history = ssm.get_parameter_history(Name="/app/url")["Parameters"]
    assert [(each["Version"], each["Value"], each["Labels"]) for each in history] == [
        (1, "one", []),
        (2, "two", []),
        (3, "three", ["prod"]),
    ]
    with pytest.raises(ClientError, match="could not find version 9 of /app/url"):
        ssm.get_parameter(Name="/app/url:9")


def test_a_secure_string_is_sealed_on_disk(ssm: Any, engine: RunningEngine) -> None:
    secret = "correct horse battery staple"
    ssm.put_parameter(Name="/db/password", Value=secret, Type="SecureString")
    sealed = ssm.get_parameter(Name="/db/password")["Parameter"]["Value"]
    assert secret not in sealed
    assert ssm.get_parameter(Name="/db/password", WithDecryption=True)["Parameter"]["Value"] == secret
    described = ssm.describe_parameters()["Parameters"][0]
    assert (described["Type"], described["KeyId"]) == ("SecureString", "alias/aws/ssm")
    for file in engine.data.iterdir():
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_paths(ssm: Any) -> None:
    for name in ("/a/x", "/a/y", "/a/b/z", "/ab/x", "plain"):
        ssm.put_parameter(Name=name, Value=name, Type="String")
    one = ssm.get_parameters_by_path(Path="/a")["Parameters"]
    assert [each["Name"] for each in one] == ["/a/x", "/a/y"]
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/a/", Recursive=True, PaginationConfig={"PageSize": 2}
    )
    assert [each["Name"] for page in pages for each in page["Parameters"]] == ["/a/b/z", "/a/x", "/a/y"]
    found = ssm.get_parameters(Names=["/a/x", "none", "plain"])
    assert [each["Name"] for each in found["Parameters"]] == ["/a/x", "plain"]
    assert found["InvalidParameters"] == ["none"]
    filtered = ssm.describe_parameters(
        ParameterFilters=[
            {"Key": "Name", "Option": "BeginsWith", "Values": ["/a"]},
            {"Key": "Type", "Values": ["String"]},
        ]
    )
    assert len(filtered["Parameters"]) == 4


def test_what_is_wrong_is_refused(ssm: Any) -> None:
    ssm.put_parameter(Name="p", Value="1", Type="String", AllowedPattern=r"^\d+$")
    for wrong, code in [
        ({"Name": "p", "Value": "2"}, "ParameterAlreadyExists"),
        ({"Name": "p", "Value": "x", "Overwrite": True}, "ParameterPatternMismatchException"),
        ({"Name": "q", "Value": "x"}, "ValidationException"),
        ({"Name": "a/b", "Value": "x", "Type": "String"}, "ValidationException"),
        ({"Name": "/aws/x", "Value": "x", "Type": "String"}, "AccessDeniedException"),
        ({"Name": "big", "Value": "x" * 4097, "Type": "String"}, "ValidationException"),
        (
            {"Name": "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "Value": "x", "Type": "String"},
            "HierarchyLevelLimitExceededException",
        ),
    ]:
        with pytest.raises(ClientError) as error:
            ssm.put_parameter(**wrong)
        assert error.value.response["Error"]["Code"] == code
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="none")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name="none")


def test_the_hundred_and_first_version_pushes_the_first_out(ssm: Any) -> None:
    for number in range(101):
        ssm.put_parameter(Name="p", Value=str(number), Type="String", Overwrite=True)
    pages = ssm.get_paginator("get_parameter_history").paginate(Name="p")
    versions = [each["Version"] for page in pages for each in page["Parameters"]]
    assert versions == list(range(2, 102))
    ssm.label_parameter_version(Name="p", ParameterVersion=2, Labels=["keep"])
    with pytest.raises(ClientError, match="has a label"):
        ssm.put_parameter(Name="p", Value="x", Overwrite=True)


def test_an_expiration_policy_deletes(own_engine: RunningEngine) -> None:
    own_engine.start(HOMEPORT_CLOCK_SPEED="100")
    ssm = own_engine.client("ssm")
    soon = (datetime.now(UTC) + timedelta(seconds=100)).isoformat()
    policy = [{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": soon}}]
    ssm.put_parameter(Name="p", Value="1", Type="String", Tier="Advanced", Policies=json.dumps(policy))
    deadline = time.monotonic() + 15
    while ssm.get_parameters(Names=["p"])["Parameters"] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ssm.get_parameters(Names=["p"])["InvalidParameters"] == ["p"]


def test_tags_public_parameters_and_the_aws_cli(ssm: Any, engine: RunningEngine) -> None:
    engine.aws(
        "ssm",
        "put-parameter",
        "--name",
        "/cli",
        "--value",
        "v",
        "--type",
        "String",
        "--tags",
        "Key=a,Value=b",
    )
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/cli")["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    shown = engine.aws(
        "ssm", "get-parameter", "--name", name, "--query", "Parameter.Value", "--output", "text"
    )
    assert shown.stdout.startswith("ami-")
