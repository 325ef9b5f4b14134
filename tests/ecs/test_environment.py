"""Where a container's environment comes from: the definition, files in S3, secrets, overrides.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"""

import json
from typing import Any

from homeport.engine.services.ecs.environment_files import parse
from tests.ecs.conftest import Ecs, execution_role, logged, written

BUCKET = "arn:aws:s3:::settings"


def test_the_example_of_the_documentation() -> None:
    text = "#This is a comment and will be ignored\nVARIABLE=VALUE\nENVIRONMENT=PRODUCTION\n"
    assert parse(text) == {"VARIABLE": "VALUE", "ENVIRONMENT": "PRODUCTION"}
    assert parse("A= 'b' = c\n\nnothing\nA=2") == {"A": " 'b' = c"}  # as it stands; the first one counts


def test_files_secrets_and_the_definition_make_the_environment(ecs: Ecs) -> None:
    s3 = ecs.engine.client("s3")
    s3.create_bucket(Bucket="settings")
    for name, text in (("one", "A=one\nB=one\nC=one"), ("two", "B=two\nD=two"), ("other", "A=other")):
        s3.put_object(Bucket="settings", Key=f"{name}.env", Body=text.encode())
    secret = ecs.engine.client("secretsmanager").create_secret(
        Name="db", SecretString=json.dumps({"user": "ann", "port": 5432})
    )
    ecs.engine.client("ssm").put_parameter(Name="/app/E", Value="deep", Type="SecureString")
    members: dict[str, Any] = logged(ecs.engine)
    ecs.engine.client("iam").put_role_policy(
        RoleName="execution",
        PolicyName="read",
        PolicyDocument=json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
    )
    definition = ecs.define(
        "echo $A $B $C $D; echo $USER_NAME $PORT $E $F",
        environment=[{"name": "C", "value": "definition"}],
        environmentFiles=[
            {"type": "s3", "value": f"{BUCKET}/one.env"},
            {"type": "s3", "value": f"{BUCKET}/two.env"},
        ],
        secrets=[
            {"name": "USER_NAME", "valueFrom": f"{secret['ARN']}:user::"},
            {"name": "PORT", "valueFrom": f"{secret['ARN']}:port:AWSCURRENT:"},
            {"name": "E", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/app/E"},
            {"name": "F", "valueFrom": f"{secret['ARN']}:user::{secret['VersionId']}"},
        ],
        **members,
    )
    plain = ecs.run(definition)
    override = {"name": "app", "environmentFiles": [{"type": "s3", "value": f"{BUCKET}/other.env"}]}
    changed = ecs.run(definition, overrides={"containerOverrides": [override]})
    for task in (plain, changed):
        ecs.until_stopped(task)
    assert written(ecs.engine, plain) == ["one one definition two", "ann 5432 deep ann"]
    assert written(ecs.engine, changed) == ["other definition", "ann 5432 deep ann"]


def test_a_role_that_may_not_read_the_file_is_told(ecs: Ecs) -> None:
    ecs.engine.client("s3").create_bucket(Bucket="settings")
    role = execution_role(ecs.engine, "s3:GetBucketLocation")
    files = [{"type": "s3", "value": f"{BUCKET}/one.env"}]
    definition = ecs.define("true", environmentFiles=files, task={"executionRoleArn": role})
    task = ecs.until_stopped(ecs.run(definition))
    assert task["stoppedReason"].startswith(
        "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
        "service call has been retried 1 time(s): AccessDenied"
    )
