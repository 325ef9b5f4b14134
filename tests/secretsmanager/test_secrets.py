"""Secrets, through boto3, the aws cli and a running engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


@pytest.fixture
def secrets(engine: RunningEngine) -> Any:
    return engine.client("secretsmanager")


def value(secrets: Any, **wanted: str) -> str:
    return secrets.get_secret_value(SecretId="db", **wanted)["SecretString"]


def test_versions_and_stages(secrets: Any) -> None:
    created = secrets.create_secret(Name="db", SecretString="one", Description="the database")
    assert created["ARN"].rpartition("-")[0].endswith(":secret:db")
    second = secrets.put_secret_value(SecretId="db", SecretString="two")["VersionId"]
    assert value(secrets) == "two"
    assert value(secrets, VersionStage="AWSPREVIOUS") == "one"
    third = secrets.put_secret_value(
        SecretId=created["ARN"], SecretString="three", VersionStages=["AWSPENDING"]
    )
    assert third["VersionStages"] == ["AWSPENDING"]
    assert value(secrets) == "two"
    secrets.update_secret_version_stage(
        SecretId="db",
        VersionStage="AWSCURRENT",
        MoveToVersionId=third["VersionId"],
        RemoveFromVersionId=second,
    )
    assert (value(secrets), value(secrets, VersionStage="AWSPREVIOUS")) == ("three", "two")
    stages = secrets.describe_secret(SecretId="db")["VersionIdsToStages"]
    assert {key: sorted(each) for key, each in stages.items()} == {
        third["VersionId"]: ["AWSCURRENT", "AWSPENDING"],
        second: ["AWSPREVIOUS"],
    }


def test_the_same_request_twice_makes_one_version(secrets: Any) -> None:
    secrets.create_secret(Name="db", SecretString="one")
    token = "a" * 32
    for _ in range(2):
        assert (
            secrets.put_secret_value(SecretId="db", SecretString="x", ClientRequestToken=token)["VersionId"]
            == token
        )
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.put_secret_value(SecretId="db", SecretString="y", ClientRequestToken=token)


def test_nothing_is_readable_on_disk(secrets: Any, engine: RunningEngine) -> None:
    secrets.create_secret(Name="db", SecretString="correct horse battery")
    secrets.create_secret(Name="binary", SecretBinary=b"\x00\xffbattery staple")
    assert secrets.get_secret_value(SecretId="binary")["SecretBinary"] == b"\x00\xffbattery staple"
    for file in engine.data.iterdir():
        if file.is_file():
            assert b"battery" not in file.read_bytes(), file


def test_deletion_waits_and_can_be_undone(secrets: Any) -> None:
    secrets.create_secret(Name="db", SecretString="one")
    secrets.delete_secret(SecretId="db", RecoveryWindowInDays=7)
    with pytest.raises(ClientError, match="marked for deletion"):
        value(secrets)
    with pytest.raises(ClientError, match="already scheduled for deletion"):
        secrets.create_secret(Name="db", SecretString="two")
    secrets.restore_secret(SecretId="db")
    assert value(secrets) == "one"
    secrets.delete_secret(SecretId="db", ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        value(secrets)


def test_random_passwords_have_the_wanted_characters(secrets: Any) -> None:
    password = secrets.get_random_password(
        PasswordLength=20, ExcludePunctuation=True, ExcludeCharacters="abc"
    )
    text = password["RandomPassword"]
    assert len(text) == 20 and text.isalnum() and not set(text) & set("abc")
    assert any(each.isdigit() for each in text) and any(each.isupper() for each in text)
    with pytest.raises(ClientError, match="too short"):
        secrets.get_random_password(PasswordLength=2)


def test_lists_tags_policies_and_the_aws_cli(secrets: Any, engine: RunningEngine) -> None:
    for number in range(3):
        secrets.create_secret(Name=f"s{number}", SecretString="x", Tags=[{"Key": "n", "Value": str(number)}])
    pages = secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2})
    assert [each["Name"] for page in pages for each in page["SecretList"]] == ["s0", "s1", "s2"]
    found = secrets.list_secrets(Filters=[{"Key": "tag-value", "Values": ["1"]}])["SecretList"]
    assert [each["Name"] for each in found] == ["s1"]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    secrets.put_resource_policy(SecretId="s0", ResourcePolicy=policy)
    assert json.loads(secrets.get_resource_policy(SecretId="s0")["ResourcePolicy"]) == json.loads(policy)
    with pytest.raises(ClientError, match="does not rotate secrets"):
        secrets.rotate_secret(SecretId="s1")
    shown = engine.aws(
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        "s1",
        "--query",
        "SecretString",
        "--output",
        "text",
    )
    assert shown.stdout == "x\n"
