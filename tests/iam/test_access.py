"""Who may do what, against a running engine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.iam.conftest import allow, deny, document, trust


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_user_without_policies_is_denied_with_awss_sentence(user) -> None:
    ann = user("ann")

    code, message = refusal(ann.client("iam").list_users)

    assert code == "AccessDenied"
    assert message == (
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:ListUsers on resource: * "
        "because no identity-based policy allows the iam:ListUsers action"
    )


def test_a_role_that_lacks_one_action_gets_it_and_goes_on(engine, role, session) -> None:
    app = session(role("app", allow("iam:List*")))
    assert app.client("iam").list_roles()["Roles"]

    code, message = refusal(app.client("iam").get_role, RoleName="app")
    engine.client("iam").put_role_policy(
        RoleName="app", PolicyName="more", PolicyDocument=document(allow("iam:GetRole"))
    )

    assert code == "AccessDenied"
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/app/test is not authorized to perform: iam:GetRole on "
        "resource: arn:aws:iam::123456789012:role/app because no identity-based policy allows the iam:GetRole action"
    )
    assert app.client("iam").get_role(RoleName="app")["Role"]["RoleName"] == "app"


def test_codes_of_denials_are_those_of_each_protocol(user) -> None:
    ann = user("ann")

    assert refusal(ann.client("ecr").describe_repositories)[0] == "AccessDeniedException"
    assert refusal(ann.client("ec2").describe_vpcs)[0] == "UnauthorizedOperation"
    assert refusal(ann.client("codepipeline").get_pipeline, name="p")[0] == "AccessDeniedException"


def test_an_explicit_deny_in_a_groups_policy(engine, user) -> None:
    iam = engine.client("iam")
    ann = user("ann", allow("iam:*"))
    iam.create_group(GroupName="staff")
    iam.put_group_policy(GroupName="staff", PolicyName="no", PolicyDocument=document(deny("iam:ListUsers")))
    ann.client("iam").list_users()

    iam.add_user_to_group(GroupName="staff", UserName="ann")

    _, message = refusal(ann.client("iam").list_users)
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_limits(engine, user) -> None:
    iam = engine.client("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("iam:ListUsers")))["Policy"][
        "Arn"
    ]
    ann = user("ann", allow("iam:*"), PermissionsBoundary=boundary)

    ann.client("iam").list_users()

    _, message = refusal(ann.client("iam").list_roles)
    assert message.endswith("because no permissions boundary allows the iam:ListRoles action")


def test_a_session_policy_limits(role, session) -> None:
    arn = role("app", allow("iam:*"))
    app = session(arn, Policy=document(allow("iam:ListUsers")))

    app.client("iam").list_users()

    _, message = refusal(app.client("iam").list_roles)
    assert message.endswith("because no session policy allows the iam:ListRoles action")


def test_an_attached_aws_policy_counts_until_it_is_detached(engine, user) -> None:
    ann = user("ann")
    attached = {"UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}

    engine.client("iam").attach_user_policy(**attached)
    assert ann.client("iam").list_users()["Users"]
    engine.client("iam").detach_user_policy(**attached)

    assert refusal(ann.client("iam").list_users)[0] == "AccessDenied"


def test_policy_variables_and_resource_tags(engine, user) -> None:
    own = "arn:aws:iam::123456789012:user/${aws:username}"
    red = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    tags = [{"Key": "team", "Value": "red"}]
    ann = user("ann", allow("iam:GetUser", resource=own), allow("iam:GetRole", Condition=red), Tags=tags)
    for name, team in (("mine", "red"), ("theirs", "blue")):
        engine.client("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=trust({"Service": "ecs-tasks.amazonaws.com"}),
            Tags=[{"Key": "team", "Value": team}],
        )

    assert ann.client("iam").get_user()["User"]["UserName"] == "ann"
    assert ann.client("iam").get_role(RoleName="mine")["Role"]["RoleName"] == "mine"
    assert refusal(ann.client("iam").get_role, RoleName="theirs")[0] == "AccessDenied"


def test_a_user_passes_only_the_roles_they_may(engine, user, role) -> None:
    mine, theirs = role("mine"), role("theirs")
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    ann = user(
        "ann",
        allow("iam:AddRoleToInstanceProfile"),
        allow("iam:PassRole", resource=mine, Condition=to_ec2),
    )
    for name in ("one", "two"):
        engine.client("iam").create_instance_profile(InstanceProfileName=name)

    add = ann.client("iam").add_role_to_instance_profile
    add(InstanceProfileName="one", RoleName="mine")
    code, message = refusal(add, InstanceProfileName="two", RoleName="theirs")

    assert code == "AccessDenied"
    assert message == (
        f"User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:PassRole on resource: {theirs} "
        "because no identity-based policy allows the iam:PassRole action"
    )


def test_an_ec2_denial_can_be_decoded(engine, user) -> None:
    ann = user("ann")
    _, message = refusal(ann.client("ec2").describe_vpcs)

    encoded = message.rpartition("message: ")[2]
    decoded = engine.client("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"]

    assert json.loads(decoded)["context"]["action"] == "ec2:DescribeVpcs"


def test_nobody_signs_with_an_inactive_or_unknown_key(engine, user) -> None:
    ann = user("ann")
    engine.client("iam").update_access_key(
        UserName="ann", AccessKeyId=ann.keys["aws_access_key_id"], Status="Inactive"
    )

    assert refusal(ann.client("sts").get_caller_identity) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
    assert refusal(ann.client("ecr").describe_repositories)[0] == "UnrecognizedClientException"


def test_requests_without_a_signature_are_refused(engine) -> None:
    request = urllib.request.Request(f"{engine.url}/", data=b"Action=ListUsers&Version=2010-05-08")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)

    assert refused.value.code == 403
    refused.value.close()
