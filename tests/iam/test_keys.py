"""Condition keys that requests bring along."""

# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import pytest

from homeport.engine.services.iam.keys import request_keys
from homeport.engine.services.iam.resources import Where, asks

HERE = Where("123456789012", "us-east-1")


def keys(
    service: str, operation: str, request: dict[str, Any], **wire_names: str
) -> dict[str, tuple[str, ...]]:
    ask = asks(service, operation, request, HERE)[0]
    return request_keys(ask.action.partition(":")[0], ask, request, HERE, wire_names)


@pytest.mark.parametrize(
    ("service", "operation", "request_members", "key", "values"),
    [
        ("ecs", "RunTask", {"taskDefinition": "web", "cluster": "prod"}, "ecs:cluster",
         ("arn:aws:ecs:us-east-1:123456789012:cluster/prod",)),
        ("ecs", "CreateCluster", {"tags": [{"key": "team", "value": "red"}]}, "aws:requesttag/team", ("red",)),
        ("ecs", "CreateCluster", {"tags": [{"key": "team", "value": "red"}]}, "aws:tagkeys", ("team",)),
        ("iam", "CreateRole", {"RoleName": "r", "PermissionsBoundary": "arn:aws:iam::aws:policy/B"},
         "iam:permissionsboundary", ("arn:aws:iam::aws:policy/B",)),
        ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/P"},
         "iam:policyarn", ("arn:aws:iam::aws:policy/P",)),
        ("codebuild", "StartBuild", {"projectName": "p", "source": {"location": "b/k"}}, "codebuild:source.location", ("b/k",)),
        ("ssm", "PutParameter", {"Name": "n", "Overwrite": True}, "ssm:overwrite", ("true",)),
        ("kms", "Decrypt", {"EncryptionContext": {"App": "a"}}, "kms:encryptioncontext:app", ("a",)),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Tagging": "a=1&b=2"}, "s3:requestobjecttag/a", ("1",)),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s", "VersionStage": "AWSCURRENT"},
         "secretsmanager:versionstage", ("AWSCURRENT",)),
    ],
)  # fmt: skip
def test_key(service: str, operation: str, request_members: dict, key: str, values: tuple[str, ...]) -> None:
    assert keys(service, operation, request_members)[key] == values


def test_s3_keys_are_called_after_headers_and_query_parameters() -> None:
    listing = keys("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "x/"}, Prefix="prefix")
    put = keys(
        "s3", "PutObject", {"Bucket": "b", "Key": "k", "ServerSideEncryption": "aws:kms"},
        ServerSideEncryption="x-amz-server-side-encryption",
    )  # fmt: skip

    assert listing["s3:prefix"] == ("x/",)
    assert put["s3:x-amz-server-side-encryption"] == ("aws:kms",)
