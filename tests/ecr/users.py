"""The registry for users with permissions."""

from __future__ import annotations

import json
from typing import Any

from tests.ecr.oci import Registry


def as_user(engine: Any, *actions: str, resource: str | None = None) -> Registry:
    """The registry for the user `dev`, who may do these actions on the repository `app`, or another resource."""
    iam = engine.client("iam")
    iam.create_user(UserName="dev")
    statements = [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]
    if actions:
        arn = resource or f"arn:aws:ecr:{engine.region}:{engine.account}:repository/app"
        statements.append({"Effect": "Allow", "Action": list(actions), "Resource": arn})
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="dev", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="dev")["AccessKey"]
    ecr = engine.client(
        "ecr", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return Registry(engine.url, token)
