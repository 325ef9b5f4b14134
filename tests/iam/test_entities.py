"""Users, groups, roles, policies and their kin, as boto3 sees them."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from homeport.engine.services.iam import managed
from homeport.engine.services.iam.policies import parse_policy
from tests.iam.conftest import allow, document, trust

ECS = trust({"Service": "ecs-tasks.amazonaws.com"})


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_user_from_creation_to_deletion(engine) -> None:
    iam = engine.client("iam")
    made = iam.create_user(UserName="ann", Path="/staff/", Tags=[{"Key": "team", "Value": "red"}])["User"]
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]

    assert made["Arn"] == "arn:aws:iam::123456789012:user/staff/ann"
    assert iam.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "team", "Value": "red"}]
    assert [user["UserName"] for user in iam.list_users(PathPrefix="/staff/")["Users"]] == ["ann"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["staff"]
    assert refusal(iam.delete_user, UserName="ann") == (
        "DeleteConflict",
        "Cannot delete entity, must remove users from group first.",
    )

    iam.update_user(UserName="ann", NewUserName="anna")
    assert iam.list_access_keys(UserName="anna")["AccessKeyMetadata"][0]["AccessKeyId"] == key["AccessKeyId"]
    assert [user["UserName"] for user in iam.get_group(GroupName="staff")["Users"]] == ["anna"]
    iam.remove_user_from_group(GroupName="staff", UserName="anna")
    assert refusal(iam.delete_user, UserName="anna")[1].endswith("must delete access keys first.")
    iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="anna")

    assert refusal(iam.get_user, UserName="anna") == (
        "NoSuchEntity",
        "The user with name anna cannot be found.",
    )


def test_names_are_taken_whatever_their_case(engine) -> None:
    iam = engine.client("iam")
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=ECS)

    assert refusal(iam.create_role, RoleName="app", AssumeRolePolicyDocument=ECS) == (
        "EntityAlreadyExists",
        "Role with name app already exists.",
    )


def test_a_third_access_key_is_too_many(engine) -> None:
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    for _ in range(2):
        iam.create_access_key(UserName="ann")

    assert refusal(iam.create_access_key, UserName="ann") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )


def test_a_role_and_its_policies(engine) -> None:
    iam = engine.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ECS, Description="d", MaxSessionDuration=7200)
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=document(allow("s3:*")))
    aws = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="app", PolicyArn=aws)

    role = iam.get_role(RoleName="app")["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(ECS)
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "d")
    assert iam.list_role_policies(RoleName="app")["PolicyNames"] == ["own"]
    own = iam.get_role_policy(RoleName="app", PolicyName="own")
    assert own["PolicyDocument"]["Statement"][0]["Action"] == ["s3:*"]
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == [
        {"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": aws}
    ]
    assert refusal(iam.delete_role, RoleName="app")[1].endswith("must detach all policies first.")
    iam.detach_role_policy(RoleName="app", PolicyArn=aws)
    assert refusal(iam.delete_role, RoleName="app")[1].endswith("must delete policies first.")
    iam.delete_role_policy(RoleName="app", PolicyName="own")
    iam.delete_role(RoleName="app")
    assert refusal(iam.get_role, RoleName="app")[0] == "NoSuchEntity"


def test_a_trust_policy_names_only_roles_that_exist(engine) -> None:
    arn = "arn:aws:iam::123456789012:role/nobody"

    assert refusal(
        engine.client("iam").create_role, RoleName="app", AssumeRolePolicyDocument=trust({"AWS": arn})
    ) == ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')


def test_a_managed_policys_versions(engine) -> None:
    iam = engine.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    for at in range(4):
        new = document(allow(f"ecs:List{at}"))
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=new, SetAsDefault=at == 3)

    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [one["VersionId"] for one in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [one["VersionId"] for one in versions if one["IsDefaultVersion"]] == ["v5"]
    again = {"PolicyArn": arn, "PolicyDocument": document(allow("s3:*"))}
    assert refusal(iam.create_policy_version, **again)[0] == "LimitExceeded"
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v5")[0] == "DeleteConflict"
    assert refusal(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    first = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert first["Document"]["Statement"][0]["Action"] == ["s3:*"]
    for version in ("v1", "v2", "v3", "v4"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"


def test_who_a_policy_is_attached_to(engine) -> None:
    iam = engine.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.create_user(UserName="ann")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ECS)
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.attach_role_policy(RoleName="app", PolicyArn=arn)

    found = iam.list_entities_for_policy(PolicyArn=arn)

    assert [user["UserName"] for user in found["PolicyUsers"]] == ["ann"]
    assert [role["RoleName"] for role in found["PolicyRoles"]] == ["app"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 2
    assert refusal(iam.delete_policy, PolicyArn=arn)[1] == "Cannot delete a policy attached to entities."


def test_passwords_keep_to_the_accounts_policy(engine) -> None:
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    assert refusal(iam.get_account_password_policy)[0] == "NoSuchEntity"
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True, MaxPasswordAge=90)

    assert iam.get_account_password_policy()["PasswordPolicy"]["ExpirePasswords"] is True
    for password in ("short1", "long but without"):
        made = {"UserName": "ann", "Password": password}
        assert refusal(iam.create_login_profile, **made)[0] == "PasswordPolicyViolation"
    iam.create_login_profile(UserName="ann", Password="long enough 1", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is True
    assert refusal(iam.delete_user, UserName="ann")[1].endswith("must delete login profile first.")
    iam.delete_login_profile(UserName="ann")
    assert iam.list_mfa_devices(UserName="ann")["MFADevices"] == []
    iam.delete_user(UserName="ann")


def test_lists_come_in_pages(engine) -> None:
    iam = engine.client("iam")
    for at in range(5):
        iam.create_group(GroupName=f"g{at}")

    pages = list(iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 2}))

    assert [len(page["Groups"]) for page in pages] == [2, 2, 1]
    assert len({group["GroupName"] for page in pages for group in page["Groups"]}) == 5


def test_aws_has_its_policies_and_nobody_changes_them(engine) -> None:
    iam = engine.client("iam")
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"

    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]

    assert version["Document"]["Statement"][0]["Action"] == "*"
    assert refusal(iam.delete_policy, PolicyArn=arn)[0] == "AccessDenied"


def test_every_policy_of_aws_passes_the_checks() -> None:
    for arn in managed.policies():
        assert parse_policy(managed.document(arn)).statements, arn


def test_an_instance_profile_has_one_role(engine) -> None:
    iam = engine.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ECS)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="app")

    profile = iam.get_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["app"]
    assert iam.list_instance_profiles_for_role(RoleName="app")["InstanceProfiles"]
    second = {"InstanceProfileName": "web", "RoleName": "app"}
    assert refusal(iam.add_role_to_instance_profile, **second)[0] == "LimitExceeded"
    assert refusal(iam.delete_instance_profile, InstanceProfileName="web")[0] == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="app")
    iam.delete_instance_profile(InstanceProfileName="web")


def test_a_service_linked_role_is_the_services(engine) -> None:
    iam = engine.client("iam")

    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]

    assert role["Arn"] == (
        "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    )
    assert refusal(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com")[0] == "InvalidInput"
    assert refusal(iam.delete_role, RoleName="AWSServiceRoleForECS")[0] == "UnmodifiableEntity"
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForECS")["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"


def test_tags_are_set_and_removed(engine) -> None:
    iam = engine.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ECS)

    iam.tag_role(RoleName="app", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="app", TagKeys=["a"])

    assert iam.list_role_tags(RoleName="app")["Tags"] == [{"Key": "b", "Value": "2"}]


def test_a_server_certificate_and_its_key_belong_together(engine) -> None:
    iam = engine.client("iam")
    key, certificate = self_signed()
    other, _ = self_signed()

    made = iam.upload_server_certificate(
        ServerCertificateName="web", CertificateBody=certificate, PrivateKey=key
    )["ServerCertificateMetadata"]

    assert made["Arn"] == "arn:aws:iam::123456789012:server-certificate/web"
    known = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert known["CertificateBody"] == certificate
    wrong = {"ServerCertificateName": "w", "CertificateBody": certificate, "PrivateKey": other}
    assert refusal(iam.upload_server_certificate, **wrong)[0] == "KeyPairMismatch"
    assert (
        refusal(iam.upload_server_certificate, **{**wrong, "CertificateBody": "x"})[0]
        == "MalformedCertificate"
    )


def test_the_simulator_says_which_statement_decides(engine) -> None:
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    green = {"StringEquals": {"aws:RequestTag/team": "green"}}
    policy = document(allow("s3:Get*", resource="arn:aws:s3:::b/*"), allow("ecs:RunTask", Condition=green))
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=policy)

    results = iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:user/ann",
        ActionNames=["s3:GetObject", "s3:PutObject", "ecs:RunTask"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )["EvaluationResults"]

    assert [one["EvalDecision"] for one in results] == ["allowed", "implicitDeny", "implicitDeny"]
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "own"
    assert "aws:requesttag/team" in results[2]["MissingContextValues"]
    custom = iam.simulate_custom_policy(
        PolicyInputList=[policy],
        ActionNames=["ecs:RunTask"],
        ContextEntries=[
            {
                "ContextKeyName": "aws:RequestTag/team",
                "ContextKeyType": "string",
                "ContextKeyValues": ["green"],
            }
        ],
    )
    assert custom["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_the_accounts_details(engine) -> None:
    iam = engine.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=ECS)
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=document(allow("s3:*")))
    iam.attach_role_policy(RoleName="app", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    details = iam.get_account_authorization_details(Filter=["Role", "AWSManagedPolicy"])

    [role] = details["RoleDetailList"]
    assert role["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["s3:*"]
    assert [policy["PolicyName"] for policy in details["Policies"]] == ["ReadOnlyAccess"]


def self_signed() -> tuple[str, str]:
    """A private key and a certificate for it, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), certificate.public_bytes(pem).decode()


def test_only_managed_policies_must_state_their_version(engine) -> None:
    iam = engine.client("iam")
    iam.create_user(UserName="ann")
    old = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}})

    iam.put_user_policy(UserName="ann", PolicyName="inline", PolicyDocument=old)

    complaint = "Policy document must be version 2012-10-17 or greater."
    refused = refusal(iam.create_policy, PolicyName="managed", PolicyDocument=old)
    assert refused == ("MalformedPolicyDocument", complaint)
