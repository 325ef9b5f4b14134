"""What roles used of what they may do, from the trail; and the policy without the rest."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from homeport.cli.permissions.grants import Policy
from homeport.cli.permissions.narrowing import narrowed
from homeport.cli.permissions.paste import Source, lines
from homeport.cli.permissions.review import State, review
from homeport.cli.permissions.trail import Trail, Use, _note
from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine
from homeport.stack.template import synthesize
from tests.cli.conftest import Run

TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: things}}
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: things
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: [s3:GetObject, s3:PutObject, s3:DeleteObject], Resource: !Sub "${Bucket.Arn}/*"}
              - {Effect: Allow, Action: s3:GetObjectVersion, Resource: "*"}
              - {Effect: Deny, Action: s3:PutObjectAcl, Resource: "*"}
        - PolicyName: words
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "ssm:*", Resource: "*"}]
        - PolicyName: never
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: sns:CreateTopic, Resource: "*"}]
Outputs:
  Role: {Value: !GetAtt Worker.Arn}
"""


def test_what_was_not_used_is_left_out_of_the_tighter_policy(engine: RunningEngine, homeport: Run) -> None:
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(StackName="shop", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="shop", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    role = cloudformation.describe_stacks(StackName="shop")["Stacks"][0]["Outputs"][0]["OutputValue"]
    session = engine.client("sts").assume_role(RoleArn=role, RoleSessionName="work")["Credentials"]
    keys = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    engine.client("s3", **keys).put_object(Bucket="things", Key="a", Body=b"a")
    engine.client("s3", **keys).get_object(Bucket="things", Key="a")
    engine.client("ssm", **keys).put_parameter(Name="/a", Value="a", Type="String")
    with contextlib.suppress(ClientError):
        engine.client("sqs", **keys).create_queue(QueueName="no")
    with contextlib.suppress(ClientError):
        engine.client("iam", **keys).list_users()

    told = json.loads(homeport("permissions", "shop", "-o", "json").output)
    shown = homeport("permissions", "shop").output

    [worker] = told["roles"]
    states = {each["action"]: each["state"] for each in worker["actions"]}
    assert states == {
        "s3:GetObject": "used",
        "s3:PutObject": "used",
        "s3:DeleteObject": "unused",
        "s3:GetObjectVersion": "unseen",
        "ssm:*": "used",
        "sns:CreateTopic": "unused",
    }
    [objects, versions, denied] = worker["tighter"]["things"]["Statement"]
    things = next(each for each in worker["changes"] if each["policy"] == "things")
    assert '-        "s3:DeleteObject"' in things["difference"]
    assert things["lines"] is None  # the template is not homeport's
    assert objects == {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": "arn:aws:s3:::things/*",
    }
    assert versions["Action"] == "s3:GetObjectVersion"
    assert denied["Effect"] == "Deny"
    [words] = worker["tighter"]["words"]["Statement"]
    assert words["Action"] == ["ssm:PutParameter"]
    assert words["Resource"] == [f"arn:aws:ssm:{engine.region}:{engine.account}:parameter/a"]
    assert worker["tighter"]["never"] is None
    assert worker["denied"]["iam:ListUsers"]["count"] == 1
    assert told["window"]["complete"] is True
    assert "leave the policy never out" in shown
    assert "Looked at" in shown


LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/shop:"


@pytest.mark.parametrize(
    ("granted", "used", "expected"),
    [
        (["*"], {f"{LOGS}log-stream:a", f"{LOGS}log-stream:b"}, [f"{LOGS}*"]),
        ([f"{LOGS}*"], {f"{LOGS}log-stream:a"}, None),
        (["arn:aws:s3:::b/*"], {"arn:aws:s3:::b/in/1", "arn:aws:s3:::b/in/2"}, ["arn:aws:s3:::b/in/*"]),
        (["arn:aws:s3:::b/*"], {"arn:aws:s3:::b/1"}, None),
        (["arn:aws:s3:::*"], {f"arn:aws:s3:::b/in/{at}/x" for at in range(9)}, ["arn:aws:s3:::b/in/*"]),
        (["*"], {"arn:aws:s3:::b"}, ["arn:aws:s3:::b"]),
        (
            ["*"],
            {"arn:aws:ecs:r:1:task-definition/shop:7", "arn:aws:ecs:r:1:task/main/0a1b"},
            ["arn:aws:ecs:r:1:task-definition/shop:*", "arn:aws:ecs:r:1:task/main/*"],
        ),
        (["*"], {"arn:aws:kms:r:1:key/0a1b"}, ["arn:aws:kms:r:1:key/0a1b"]),
        (["*"], {"*"}, None),
        (["arn:aws:s3:::other/*"], {"arn:aws:s3:::b/in/1"}, None),
        (["*"], {f"arn:aws:sqs:r:1:{at}" for at in range(30)}, None),
    ],
)
def test_resources_are_narrowed_to_what_was_used_and_what_comes_after_it(
    granted: list[str], used: set[str], expected: list[str] | None
) -> None:
    assert narrowed(granted, [Use(1, datetime.now(UTC), used)]) == expected


def test_an_event_without_a_resource_keeps_all_resources() -> None:
    assert narrowed(["*"], [Use(2, datetime.now(UTC), {"arn:aws:sqs:r:1:a"}, unnamed=1)]) is None


def test_what_to_write_in_homeport_yml_makes_the_tighter_policy() -> None:
    allowed = "{actions: ['s3:GetObject', 's3:PutObject'], resources: ['arn:aws:s3:::things/*']}"
    text = f"app: shop\nservice: {{permissions: [{allowed}]}}\n"
    source = Source(synthesize(parse(text)), "123456789012", "us-east-1")
    own = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::things/*"]}
    ]
    left = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::things/in/*"]}
    objects = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
        "Resource": "arn:aws:s3:::b/*",
    }
    used = {**objects, "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::b/123456789012/*"]}

    said = lines(source, "TaskRole", Policy("application", own), [[left]])
    patched = lines(source, "BuildRole", Policy("artifacts", [objects]), [[used]])
    dropped = lines(source, "BuildRole", Policy("logs", [objects]), [[]])

    assert said and yaml.safe_load(said) == {
        "service": {"permissions": [{"actions": left["Action"], "resources": left["Resource"]}]}
    }
    assert patched and dropped
    roles = [synthesize(parse(f"app: shop\n{each}"))["Resources"]["BuildRole"] for each in (patched, dropped)]
    policies = [{each.get("PolicyName"): each for each in role["Properties"]["Policies"]} for role in roles]
    [statement] = policies[0]["artifacts"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        ["s3:PutObject"],
        ["arn:aws:s3:::b/123456789012/*"],
    )
    assert "logs" not in policies[1]
    assert {"Ref": "AWS::NoValue"} in roles[1]["Properties"]["Policies"]


def event(name: str, source: str, **members: Any) -> dict[str, Any]:
    """An event as AWS's own trail has it: it does not tell the action."""
    issuer = {"type": "Role", "userName": "worker"}
    identity = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}
    return {"eventName": name, "eventSource": f"{source}.amazonaws.com", "userIdentity": identity, **members}


@pytest.mark.parametrize(
    ("name", "source", "action"),
    [
        ("PutImage", "ecr", "ecr:PutImage"),
        ("ListObjectsV2", "s3", "s3:ListBucket"),
        ("PutMetricAlarm", "monitoring", "cloudwatch:PutMetricAlarm"),
        ("UpdateFunctionCode20150331v2", "lambda", "lambda:UpdateFunctionCode"),
    ],
)
def test_an_event_of_aws_is_read_as_its_action(name: str, source: str, action: str) -> None:
    trail = Trail()

    _note(trail, event(name, source), {"worker"}, datetime.now(UTC))

    assert list(trail.used["worker"]) == [action]
    assert trail.records_data is False


def test_what_the_trail_of_aws_cannot_show_is_kept_and_said() -> None:
    actions = ["iam:PassRole", "s3:GetObject", "logs:PutLogEvents", "ecs:TagResource", "ecr:PutImage"]
    policy = Policy("all", [{"Effect": "Allow", "Action": [*actions, "ecr:BatchGetImage"], "Resource": "*"}])
    used = {"ecr:PutImage": Use(1, datetime.now(UTC))}

    found = review("worker", [policy], used, {}, records_data=False)

    states = {each.action: each.state for each in found.actions}
    assert [states[each] for each in actions[:4]] == [State.unseen] * 4
    assert states["ecr:BatchGetImage"] is State.unused
    assert found.tighter["all"] == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
