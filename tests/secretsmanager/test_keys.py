"""Secrets and SecureStrings under a key of the customer can be read only by who may use the key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


def user(engine: RunningEngine, *actions: str) -> dict[str, str]:
    """The keys of a user who may do these actions on everything."""
    iam = engine.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_a_secure_string_needs_its_key(engine: RunningEngine, tier: str) -> None:
    key = engine.client("kms").create_key()["KeyMetadata"]["KeyId"]
    ssm = engine.client("ssm")
    ssm.put_parameter(Name="/p", Value="hidden", Type="SecureString", KeyId=key, Tier=tier)
    assert ssm.get_parameter(Name="/p", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    reader = engine.client("ssm", **user(engine, "ssm:GetParameter"))
    assert reader.get_parameter(Name="/p")["Parameter"]["Value"] != "hidden"
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        reader.get_parameter(Name="/p", WithDecryption=True)
    with pytest.raises(ClientError) as error:
        ssm.put_parameter(Name="/q", Value="x", Type="SecureString", KeyId="alias/none")
    assert error.value.response["Error"]["Code"] == "InvalidKeyId"


def test_a_secret_needs_its_key(engine: RunningEngine) -> None:
    key = engine.client("kms").create_key()["KeyMetadata"]["KeyId"]
    secrets: Any = engine.client("secretsmanager")
    secrets.create_secret(Name="db", SecretString="hidden", KmsKeyId=key)
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "hidden"
    reader = engine.client("secretsmanager", **user(engine, "secretsmanager:GetSecretValue"))
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        reader.get_secret_value(SecretId="db")
    engine.client("iam").put_user_policy(
        UserName="reader",
        PolicyName="key",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "kms:Decrypt",
                        "Resource": "*",
                        "Condition": {
                            "StringEquals": {
                                "kms:ViaService": f"secretsmanager.{engine.region}.amazonaws.com"
                            }
                        },
                    }
                ],
            }
        ),
    )
    assert reader.get_secret_value(SecretId="db")["SecretString"] == "hidden"
