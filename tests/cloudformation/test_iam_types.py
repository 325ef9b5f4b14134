"""Every type of IAM and KMS in one stack: made, told, removed."""

from __future__ import annotations

import json
from typing import Any

from tests.iam.test_entities import self_signed

READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
OWNER = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
EC2 = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def template() -> dict[str, Any]:
    key, certificate = self_signed()
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Key": ("AWS::KMS::Key", {"EnableKeyRotation": True, "KeyPolicy": OWNER}),
        "Alias": ("AWS::KMS::Alias", {"AliasName": "alias/app", "TargetKeyId": ref("Key")}),
        "User": (
            "AWS::IAM::User",
            {"UserName": "ann", "LoginProfile": {"Password": "long enough 1"}, "Groups": [ref("Group")]},
        ),
        "Group": ("AWS::IAM::Group", {"Policies": [{"PolicyName": "p", "PolicyDocument": READ}]}),
        "Managed": ("AWS::IAM::ManagedPolicy", {"PolicyDocument": READ, "Users": [ref("User")]}),
        "AccessKey": ("AWS::IAM::AccessKey", {"UserName": ref("User")}),
        "Role": (
            "AWS::IAM::Role",
            {"AssumeRolePolicyDocument": EC2, "Path": "/app/", "ManagedPolicyArns": [ref("Managed")]},
        ),
        "Profile": ("AWS::IAM::InstanceProfile", {"Roles": [ref("Role")]}),
        "Inline": ("AWS::IAM::Policy", {"PolicyName": "x", "PolicyDocument": READ, "Roles": [ref("Role")]}),
        "Linked": ("AWS::IAM::ServiceLinkedRole", {"AWSServiceName": "ecs.amazonaws.com"}),
        "Provider": (
            "AWS::IAM::OIDCProvider",
            {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]},
        ),
        "Certificate": ("AWS::IAM::ServerCertificate", {"CertificateBody": certificate, "PrivateKey": key}),
    }
    outputs = {name: {"Fn::GetAtt": [name, "Arn"]} for name in ("Role", "Provider", "Certificate", "Key")}
    return {
        "Resources": {name: {"Type": kind, "Properties": given} for name, (kind, given) in resources.items()},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }


def test_a_stack_of_identities_and_keys(engine) -> None:
    cloudformation, iam = engine.client("cloudformation"), engine.client("iam")
    quick = {"WaiterConfig": {"Delay": 1, "MaxAttempts": 90}}
    body = json.dumps(template())

    cloudformation.create_stack(StackName="app", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="app", **quick)

    [stack] = cloudformation.describe_stacks(StackName="app")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert outputs["Role"].startswith("arn:aws:iam::123456789012:role/app/app-Role-")
    assert outputs["Provider"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    assert ":server-certificate/" in outputs["Certificate"]
    key = engine.client("kms").describe_key(KeyId="alias/app")["KeyMetadata"]
    assert key["Arn"] == outputs["Key"]
    assert engine.client("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["UserName"] == "ann"
    assert (
        iam.get_role(RoleName="AWSServiceRoleForECS")["Role"]["Path"]
        == "/aws-service-role/ecs.amazonaws.com/"
    )

    cloudformation.delete_stack(StackName="app")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="app", **quick)
    assert iam.list_users()["Users"] == iam.list_roles()["Roles"] == iam.list_groups()["Groups"] == []
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []
    assert engine.client("kms").list_aliases()["Aliases"] == []
