"""Resource policies: which AWS services may write to this account's log groups.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs.groups import millis
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

POLICIES = Table("logs_resource_policies", key=("policyName",))


@operation
async def put_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html"""
    try:
        json.loads(request["policyDocument"])
    except (KeyError, ValueError):
        raise AwsError("InvalidParameterException", "The policy document is not valid JSON.") from None
    body = {
        "policyName": request.get("policyName", "default"),
        "policyDocument": request["policyDocument"],
        "lastUpdatedTime": millis(ctx),
    }
    POLICIES.put(ctx, body)
    return {"resourcePolicy": body}


@operation
async def describe_resource_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html"""
    found, token = page(
        POLICIES.list(ctx),
        request.get("limit", 50),
        request.get("nextToken"),
        lambda policy: policy["policyName"],
        "InvalidParameterException",
    )
    return {"resourcePolicies": found, "nextToken": token}


@operation
async def delete_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteResourcePolicy.html"""
    name = request.get("policyName", "default")
    if not POLICIES.delete(ctx, name):
        raise AwsError("ResourceNotFoundException", f"Policy with name [{name}] does not exist")
    return {}
