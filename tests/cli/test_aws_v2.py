"""The aws cli of version 2 works unmodified; tests elsewhere run the version 1 that is installed with homeport."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine

TEMPLATE = """
Parameters:
  Level: {Type: String, Default: info}
Resources:
  Setting: {Type: AWS::SSM::Parameter, Properties: {Name: /app/level, Type: String, Value: !Ref Level}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
Outputs:
  Setting: {Value: !Ref Setting}
"""


@pytest.fixture(scope="module")
def program() -> str:
    """Version 2, wherever it is on the PATH; the virtual environment's own is version 1."""
    for folder in os.get_exec_path():
        program = Path(folder) / "aws"
        if folder != str(Path(sys.executable).parent) and os.access(program, os.X_OK):
            version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            if version.startswith("aws-cli/2."):
                return str(program)
    pytest.skip("no aws cli of version 2 is on the PATH (Debian: apt-get install awscli)")


Aws = Callable[..., str]


@pytest.fixture
def aws(program: str, engine: RunningEngine) -> Aws:
    """Run a command and return what it prints. Only versions from 2.13 read AWS_ENDPOINT_URL."""

    def run(*arguments: str, **environment: str) -> str:
        command = [program, "--endpoint-url", engine.url, *arguments]
        done = subprocess.run(command, env=engine.env | environment, capture_output=True, text=True)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    return run


def test_s3_copies_syncs_and_presigns(aws: Aws, engine: RunningEngine, tmp_path: Path) -> None:
    engine.client("s3").create_bucket(Bucket="site")
    source, target = tmp_path / "source", tmp_path / "target"
    for name, content in {
        "index.html": b"hello",
        "css/ü b.css": b"x",
        "large.bin": os.urandom(9 << 20),
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)

    aws("s3", "cp", str(source), "s3://site/v1", "--recursive")
    (source / "css/ü b.css").unlink()
    synced = aws("s3", "sync", str(source), "s3://site/v1", "--delete")
    aws("s3", "sync", "s3://site/v1", str(target))

    assert synced.splitlines() == ["delete: s3://site/v1/css/ü b.css"]
    assert (target / "large.bin").read_bytes() == (source / "large.bin").read_bytes()
    with urllib.request.urlopen(aws("s3", "presign", "s3://site/v1/index.html")) as answer:
        assert answer.read() == b"hello"


def test_parameters_and_secrets_are_kept(aws: Aws) -> None:
    aws("ssm", "put-parameter", "--name", "/app/key", "--type", "SecureString", "--value", "s3cret")
    found = aws("ssm", "get-parameters-by-path", "--path", "/app", "--with-decryption", "--output", "text")
    aws("secretsmanager", "create-secret", "--name", "db", "--secret-string", '{"password": "p"}')
    secret = aws("secretsmanager", "get-secret-value", "--secret-id", "db", "--query", "SecretString")

    assert "s3cret" in found
    assert json.loads(json.loads(secret)) == {"password": "p"}


def test_logs_are_followed(program: str, engine: RunningEngine) -> None:
    logs = engine.client("logs")
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="one")

    def put(message: str) -> None:
        event = {"timestamp": int(time.time() * 1000), "message": message}
        logs.put_log_events(logGroupName="/app", logStreamName="one", logEvents=[event])

    put("before")
    command = [program, "--endpoint-url", engine.url, "logs", "tail", "/app", "--follow", "--format", "short"]
    environment = engine.env | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        assert follower.stdout.readline().endswith("before\n")
        put("after")
        assert follower.stdout.readline().endswith("after\n")
        follower.terminate()


def test_a_role_is_assumed(aws: Aws, engine: RunningEngine) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": engine.account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    engine.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=document)
    arn = f"arn:aws:iam::{engine.account}:role/reader"

    answer = aws("sts", "assume-role", "--role-arn", arn, "--role-session-name", "me")
    keys = json.loads(answer)["Credentials"]
    session = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }

    who = aws("sts", "get-caller-identity", "--query", "Arn", "--output", "text", **session)
    assert who == f"arn:aws:sts::{engine.account}:assumed-role/reader/me"


def test_a_stack_is_deployed(aws: Aws, engine: RunningEngine, tmp_path: Path) -> None:
    template = tmp_path / "template.yml"
    template.write_text(TEMPLATE)
    deploy = ("cloudformation", "deploy", "--stack-name", "app", "--template-file", str(template))

    aws(*deploy)
    aws(*deploy, "--parameter-overrides", "Level=debug")

    value = engine.client("ssm").get_parameter(Name="/app/level")["Parameter"]["Value"]
    assert value == "debug"
