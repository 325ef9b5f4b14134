"""What roles used of what they may do, from the trail; and the policy without the rest."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.cli.permissions.grants import Policy
from homeport.cli.permissions.review import State, review
from homeport.cli.permissions.trail import Trail, Use, _note
from homeport.pytest_plugin import RunningEngine
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
    assert objects == {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": "arn:aws:s3:::things/*",
    }
    assert versions["Action"] == "s3:GetObjectVersion"
    assert denied["Effect"] == "Deny"
    assert worker["tighter"]["words"]["Statement"][0]["Action"] == ["ssm:PutParameter"]
    assert worker["tighter"]["never"] is None
    assert worker["denied"]["iam:ListUsers"]["count"] == 1
    assert told["window"]["complete"] is True
    assert "leave the policy never out" in shown
    assert "Looked at" in shown


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
