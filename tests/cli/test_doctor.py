"""doctor finds troubles by evidence, and says what mends them."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from homeport.cli.main import app
from homeport.pytest_plugin import RunningEngine


def test_a_denied_push_gets_the_statement_to_add(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{engine.account}:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    engine.client("iam").create_role(RoleName="builder", AssumeRolePolicyDocument=document)
    engine.client("ecr").create_repository(repositoryName="shop")
    role = f"arn:aws:iam::{engine.account}:role/builder"
    session = engine.client("sts").assume_role(RoleArn=role, RoleSessionName="build")["Credentials"]
    builder = engine.client(
        "ecr",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError, match="ecr:PutImage"):
        builder.put_image(repositoryName="shop", imageManifest="{}")
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)

    done = CliRunner().invoke(app, ["doctor", "--output", "json"])

    troubles = json.loads(done.output)["troubles"]
    (denied,) = [each for each in troubles if "ecr:PutImage" in each["trouble"]]
    assert denied["subject"] == "builder"
    assert '"Action": "ecr:PutImage"' in denied["mend"]
    assert done.exit_code == 1
