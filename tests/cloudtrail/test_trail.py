"""Every call is recorded: who, what, on what, how it was decided. Secrets never are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def events(engine: Any, **attribute: str) -> list[dict[str, Any]]:
    """The records with this attribute, the newest first."""
    attributes = [{"AttributeKey": key, "AttributeValue": value} for key, value in attribute.items()]
    pages = engine.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=attributes)
    return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]


def denied_user(engine: Any) -> Any:
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "NoListing", "Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"}],
    }
    iam.put_user_policy(UserName="ann", PolicyName="limits", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    return key


def test_a_call_is_recorded_with_who_what_and_on_what(engine) -> None:
    engine.client("ecr").create_repository(repositoryName="app")

    [event] = events(engine, EventName="CreateRepository")

    assert event["userIdentity"]["type"] == "Root"
    assert event["eventSource"] == "ecr.amazonaws.com"
    assert event["requestParameters"]["repositoryName"] == "app"
    assert event["responseElements"]["repository"]["repositoryName"] == "app"
    assert event["sourceIPAddress"] == "127.0.0.1"
    assert event["userAgent"].startswith("Boto3")
    assert event["readOnly"] is False


def test_a_denial_names_the_statement(engine) -> None:
    key = denied_user(engine)
    ann = engine.client(
        "iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    with pytest.raises(ClientError):
        ann.list_roles()

    [event] = events(engine, Username="ann")

    assert event["errorCode"] == "AccessDenied"
    assert event["errorMessage"].endswith("with an explicit deny in an identity-based policy")
    assert event["additionalEventData"]["authorization"] == {
        "allowed": False,
        "action": "iam:ListRoles",
        "resource": "*",
        "policyType": "identity-based policy",
        "explicitDeny": True,
        "policy": "arn:aws:iam::123456789012:user/ann/limits",
        "statement": "NoListing",
    }


def test_secrets_are_never_written_down(engine) -> None:
    secret = denied_user(engine)["SecretAccessKey"]
    role = engine.client("iam").create_role(
        RoleName="app",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
            }
        ),
    )["Role"]
    session = engine.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="work")["Credentials"]
    engine.client("ssm").put_parameter(Name="/p", Value="wyvern-parameter", Type="SecureString")
    engine.client("secretsmanager").create_secret(Name="s", SecretString="wyvern-secret")

    written = b"".join(path.read_bytes() for path in (engine.data / "cloudtrail").iterdir()).decode()

    for name in ("CreateAccessKey", "AssumeRole", "PutParameter", "CreateSecret"):
        assert f'"eventName":"{name}"' in written
    for text in (secret, session["SecretAccessKey"], session["SessionToken"], "wyvern"):
        assert text not in written


def test_events_are_found_by_attribute_and_page_by_page(engine) -> None:
    iam = engine.client("iam")
    for at in range(7):
        iam.create_group(GroupName=f"g{at}")
    client = engine.client("cloudtrail")
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "CreateGroup"}]

    first = client.lookup_events(LookupAttributes=by_name, MaxResults=3)
    second = client.lookup_events(LookupAttributes=by_name, MaxResults=3, NextToken=first["NextToken"])
    third = client.lookup_events(LookupAttributes=by_name, MaxResults=3, NextToken=second["NextToken"])

    names = [
        json.loads(event["CloudTrailEvent"])["requestParameters"]["groupName"]
        for page in (first, second, third)
        for event in page["Events"]
    ]
    assert names == ["g6", "g5", "g4", "g3", "g2", "g1", "g0"]
    assert "NextToken" not in third
    later = {"StartTime": 4102444800, "EndTime": 4102444801}
    assert client.lookup_events(LookupAttributes=by_name, **later)["Events"] == []


def test_the_trail_outlives_the_engine_and_is_emptied_by_reset(own_engine) -> None:
    own_engine.start()
    own_engine.client("iam").create_group(GroupName="staff")
    own_engine.restart()
    assert events(own_engine, EventName="CreateGroup")

    own_engine.reset()

    assert not events(own_engine, EventName="CreateGroup")
