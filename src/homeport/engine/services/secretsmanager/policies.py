"""Resource policies of secrets.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.secretsmanager.secrets import SECRETS, find_secret
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""
    try:
        policy = json.loads(request["ResourcePolicy"])
        if not isinstance(policy, dict) or "Statement" not in policy:
            raise ValueError
    except ValueError:
        raise AwsError("MalformedPolicyDocumentException", "This resource policy is malformed.") from None
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        SECRETS.put(ctx, {**secret, "Policy": policy})
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


@operation
async def get_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html"""
    secret = find_secret(ctx, request["SecretId"])
    policy = json.dumps(secret["Policy"]) if secret.get("Policy") else None
    return {"ARN": secret["ARN"], "Name": secret["Name"], "ResourcePolicy": policy}


@operation
async def delete_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html"""
    with ctx.store.transaction():
        secret = find_secret(ctx, request["SecretId"])
        SECRETS.put(ctx, {**secret, "Policy": None})
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the secret that this ARN names."""
    try:
        return find_secret(ctx, arn, deleted=True).get("Policy")
    except AwsError:
        return None
