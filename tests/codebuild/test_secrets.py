"""Secrets reach the commands, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import json

from tests.codebuild.conftest import Builds, output

DIGEST = hashlib.sha256(b"p4rameter-s3cr3t-hunter2-given-t0ken").hexdigest()[:8]
PRIVATE_KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n"
SECRETS = (
    "p4rameter",
    "s3cr3t-hunter2",
    "given-t0ken",
    "MIIEvQIBADANBgkqhkiG9w0",
    "BAQEFAASCBKcwggSjAgEAAoIB",
)
SPEC = """version: 0.2
env:
  variables: {PLAIN: shown}
  parameter-store: {PARAMETER: /app/parameter}
  secrets-manager: {SECRET: "app:password", KEY: key}
  exported-variables: [PLAIN, SECRET]
phases:
  build:
    commands:
      - echo "$PLAIN $PARAMETER $SECRET $GIVEN" && env | grep -c . >/dev/null
      - test "$(printf %s "$PARAMETER-$SECRET-$GIVEN" | sha256sum | cut -c 1-8)" = DIGEST
      - echo "$SECRET" | base64
      - echo "$KEY" >&2 && sh -xc 'test -n "'"$PARAMETER"'"'
      - 'sh -c "exit 3 # $SECRET"'
""".replace("DIGEST", DIGEST)


def test_secrets_of_all_three_sources_are_masked(builds: Builds):
    engine = builds.engine
    engine.client("ssm").put_parameter(Name="/app/parameter", Value="p4rameter", Type="SecureString")
    engine.client("secretsmanager").create_secret(Name="key", SecretString=PRIVATE_KEY)
    engine.client("secretsmanager").create_secret(
        Name="app", SecretString=json.dumps({"user": "app-user", "password": "s3cr3t-hunter2"})
    )
    engine.client("secretsmanager").create_secret(Name="given", SecretString="given-t0ken")
    engine.client("s3").create_bucket(Bucket="logs")
    s3_logs = {"s3Logs": {"status": "ENABLED", "location": "logs/build"}}
    builds.project("secrets", builds.role(), SPEC, logsConfig=s3_logs)

    given = {"name": "GIVEN", "value": "given", "type": "SECRETS_MANAGER"}
    build = builds.run("secrets", environmentVariablesOverride=[given])

    log = builds.log(build)
    assert output(log)[0] == "shown *** *** ***", "\n".join(log)
    assert not [line for line in log for secret in SECRETS if secret in line]
    (stored,) = engine.client("s3").list_objects_v2(Bucket="logs")["Contents"]
    body = engine.client("s3").get_object(Bucket="logs", Key=stored["Key"])["Body"].read()
    assert not [secret for secret in SECRETS if secret.encode() in gzip.decompress(body)]
    assert build["exportedEnvironmentVariables"] == [{"name": "PLAIN", "value": "shown"}]
    trail = [*engine.client("cloudtrail").get_paginator("lookup_events").paginate()]
    calls = {event["EventName"] for page in trail for event in page["Events"]}
    assert {"PutParameter", "CreateSecret", "GetSecretValue", "StartBuild"} <= calls
    assert not [secret for secret in SECRETS if secret in json.dumps(trail, default=str)]
    assert not [secret for secret in SECRETS if secret in (engine.data / "engine.log").read_text()]
    (failed,) = [phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED"]
    context = failed["contexts"][0]
    assert context["statusCode"] == "COMMAND_EXECUTION_ERROR"
    assert (
        context["message"] == 'Error while executing command: sh -c "exit 3 # $SECRET". Reason: exit status 3'
    )


def test_a_parameter_that_the_role_may_not_read_fails_the_build_before_its_commands(builds: Builds):
    builds.engine.client("ssm").put_parameter(Name="/app/parameter", Value="parameter", Type="SecureString")
    builds.project("secrets", builds.role([{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]), SPEC)

    build = builds.run("secrets")

    (failed,) = [phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED"]
    assert failed["phaseType"] == "DOWNLOAD_SOURCE"
    assert "is not authorized to perform: ssm:GetParameters" in failed["contexts"][0]["message"]
