"""Sessions: assumed, chained, limited, expired."""

from __future__ import annotations

import functools
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam.conftest import Caller, allow, document, session_keys, trust


def code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]["Code"]


def test_a_session_is_the_role_under_a_name(engine, user, role) -> None:
    arn = role("app")
    ann = user("ann", allow("sts:AssumeRole", resource=arn))

    answer = ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")
    who = Caller(engine, session_keys(answer["Credentials"])).client("sts").get_caller_identity()

    assert who["Arn"] == "arn:aws:sts::123456789012:assumed-role/app/work"
    assert who["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_the_trust_policy_and_the_callers_policy_must_agree(user, role) -> None:
    arn = role("app", trusted=trust({"Service": "ecs-tasks.amazonaws.com"}))
    ann = user("ann", allow("sts:AssumeRole"))
    bob = user("bob")

    with pytest.raises(ClientError, match="because no role trust policy allows the sts:AssumeRole action"):
        ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")
    assert code(bob.client("sts").assume_role, RoleArn=role("open"), RoleSessionName="work") == "AccessDenied"


def test_a_role_that_names_the_user_needs_no_policy_of_the_user(user, role) -> None:
    ann = user("ann")
    arn = role("app", trusted=trust({"AWS": "arn:aws:iam::123456789012:user/ann"}))

    assert ann.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]


def test_a_role_is_assumed_or_passed_by_its_tags_as_the_pipelines_of_the_cdk_do(engine, user, role) -> None:
    tagged = {"ForAnyValue:StringEquals": {"iam:ResourceTag/aws-cdk:bootstrap-role": ["deploy", "lookup"]}}
    ann = user("ann", allow("sts:AssumeRole", "iam:PassRole", Condition=tagged), allow("ecs:*"))
    mine, theirs = role("mine"), role("theirs")
    engine.client("iam").tag_role(
        RoleName="mine", Tags=[{"Key": "aws-cdk:bootstrap-role", "Value": "deploy"}]
    )

    assert ann.client("sts").assume_role(RoleArn=mine, RoleSessionName="work")["Credentials"]
    assert code(ann.client("sts").assume_role, RoleArn=theirs, RoleSessionName="work") == "AccessDenied"
    define = functools.partial(
        ann.client("ecs").register_task_definition,
        family="web",
        containerDefinitions=[{"name": "web", "image": "web", "memory": 64}],
    )
    assert define(taskRoleArn=mine)["taskDefinition"]["taskRoleArn"] == mine
    assert code(define, taskRoleArn=theirs) == "AccessDeniedException"


def test_an_external_id_is_asked_for(user, role) -> None:
    ann = user("ann", allow("sts:AssumeRole"))
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    arn = role("app", trusted=trust({"AWS": "*"}, Condition=condition))
    assume = ann.client("sts").assume_role

    assert code(assume, RoleArn=arn, RoleSessionName="work") == "AccessDenied"
    assert code(assume, RoleArn=arn, RoleSessionName="work", ExternalId="guess") == "AccessDenied"
    assert assume(RoleArn=arn, RoleSessionName="work", ExternalId="secret")["Credentials"]


def test_session_tags_need_to_be_allowed_and_count_as_the_principals(engine, role) -> None:
    may_tag = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        },
    }
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    arn = role("app", allow("iam:ListUsers", Condition=red), trusted=document(may_tag["Statement"]))
    plain = role("plain")
    assume = engine.client("sts").assume_role

    for team, allowed in (("red", True), ("blue", False)):
        answer = assume(RoleArn=arn, RoleSessionName="work", Tags=[{"Key": "team", "Value": team}])
        iam = Caller(engine, session_keys(answer["Credentials"])).client("iam")
        if allowed:
            iam.list_users()
        else:
            assert code(iam.list_users) == "AccessDenied"
    tagged = {"RoleArn": plain, "RoleSessionName": "work", "Tags": [{"Key": "team", "Value": "red"}]}
    assert code(assume, **tagged) == "AccessDenied"


@pytest.mark.slow
def test_a_session_ends(own_engine) -> None:
    own_engine.start(HOMEPORT_CLOCK_SPEED="60")
    arn = own_engine.client("iam").create_role(
        RoleName="app", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{own_engine.account}:root"})
    )["Role"]["Arn"]
    answer = own_engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", DurationSeconds=900)
    app = Caller(own_engine, session_keys(answer["Credentials"]))
    app.client("sts").get_caller_identity()

    time.sleep(15.2)

    assert code(app.client("sts").get_caller_identity) == "ExpiredToken"
    assert code(app.client("ecr").describe_repositories) == "ExpiredTokenException"


def test_a_session_outlives_the_engine_but_not_its_role(own_engine) -> None:
    own_engine.start()
    iam = own_engine.client("iam")
    trusted = trust({"AWS": f"arn:aws:iam::{own_engine.account}:root"})
    arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    listing = {"RoleName": "app", "PolicyName": "p", "PolicyDocument": document(allow("iam:ListUsers"))}
    iam.put_role_policy(**listing)
    answer = own_engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")
    app = Caller(own_engine, session_keys(answer["Credentials"]))

    own_engine.restart()
    app.client("iam").list_users()
    iam.delete_role_policy(RoleName="app", PolicyName="p")
    iam.delete_role(RoleName="app")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trusted)
    iam.put_role_policy(**listing)

    assert code(app.client("iam").list_users) == "AccessDenied"


def test_a_token_is_good_for_its_own_key_only(engine, role, session) -> None:
    one, two = session(role("app")), session(role("other"))

    mixed = Caller(engine, {**one.keys, "aws_session_token": two.keys["aws_session_token"]})

    assert code(mixed.client("sts").get_caller_identity) == "InvalidClientTokenId"


def test_chained_sessions_last_an_hour(role, session) -> None:
    first = session(role("first", allow("sts:AssumeRole")))
    second = role("second", MaxSessionDuration=7200)
    assume = first.client("sts").assume_role

    assert assume(RoleArn=second, RoleSessionName="work")["Credentials"]
    assert code(assume, RoleArn=second, RoleSessionName="work", DurationSeconds=7200) == "ValidationError"


def test_a_users_session_token_and_a_federated_user(engine, user) -> None:
    ann = user("ann", allow("ecr:*", "sts:GetFederationToken"))
    sts = ann.client("sts")

    own = Caller(engine, session_keys(sts.get_session_token()["Credentials"]))
    assert own.client("sts").get_caller_identity()["Arn"].endswith(":user/ann")
    assert own.client("ecr").describe_repositories()["repositories"] == []
    assert code(own.client("sts").get_session_token) == "AccessDenied"

    granted = sts.get_federation_token(Name="guest", Policy=document(allow("ecr:DescribeRepositories")))
    guest = Caller(engine, session_keys(granted["Credentials"]))
    assert guest.client("ecr").describe_repositories()["repositories"] == []
    assert code(guest.client("ecr").create_repository, repositoryName="app") == "AccessDeniedException"


def test_tokens_of_identity_providers_are_refused_clearly(engine, role) -> None:
    with pytest.raises(ClientError, match="cannot verify the tokens"):
        engine.client("sts").assume_role_with_web_identity(
            RoleArn=role("app"), RoleSessionName="work", WebIdentityToken="e30.e30.e30"
        )
