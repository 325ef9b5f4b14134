"""Policies of buckets.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy
from homeport.engine.services.s3.buckets import BUCKETS, everywhere, find_bucket
from homeport.engine.services.s3.public_access import blocked
from homeport.engine.services.s3.settings import delete_setting, get_setting, put_setting
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"""
    try:
        policy = json.loads(request["Policy"])
    except ValueError:
        policy = None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    for statement in statements:
        _check_statement(statement, request["Bucket"])
    try:
        parse_policy(request["Policy"], PolicyKind.RESOURCE)
    except MalformedPolicy as complaint:
        raise AwsError("MalformedPolicy", str(complaint), 400) from None
    blocks = blocked(ctx, find_bucket(ctx, request))
    if "BlockPublicPolicy" in blocks and any(map(_is_public, statements)):
        raise AwsError(
            "AccessDenied",
            f"User: {ctx.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{request["Bucket"]}" because public policies are prevented by the BlockPublicPolicy '
            "setting in S3 Block Public Access.",
            403,
        )
    return put_setting(ctx, request, "policy", policy)


def _check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise AwsError("MalformedPolicy", "Missing required field Effect", 400)
    for field in ("Principal", "Action", "Resource"):
        if field not in statement and f"Not{field}" not in statement:
            raise AwsError("MalformedPolicy", f"Missing required field {field}", 400)
    resources = statement.get("Resource", statement.get("NotResource"))
    for resource in resources if isinstance(resources, list) else [resources]:
        if not str(resource).startswith((f"arn:aws:s3:::{bucket}", "arn:aws:s3:::*", "*")):
            raise AwsError("MalformedPolicy", "Policy has invalid resource", 400)


def _is_public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    wide = principal == "*" or (isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"]))
    return statement["Effect"] == "Allow" and wide and not statement.get("Condition")


@operation
async def get_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html"""
    return {"Policy": json.dumps(get_setting(ctx, request, "policy"), separators=(",", ":"))}


@operation
async def get_bucket_policy_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html"""
    statements = get_setting(ctx, request, "policy")["Statement"]
    every = statements if isinstance(statements, list) else [statements]
    return {"PolicyStatus": {"IsPublic": any(map(_is_public, every))}}


@operation
async def delete_bucket_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html"""
    return delete_setting(ctx, request, "policy")


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the bucket that an ARN of a bucket or an object names. Where public buckets are restricted, what
    it allows everyone holds for the bucket's own account only."""
    bucket = BUCKETS.get(everywhere(ctx.store), arn.rpartition(":::")[2].partition("/")[0])
    policy = bucket["settings"].get("policy") if bucket else None
    if not bucket or not policy:
        return None
    if "RestrictPublicBuckets" not in blocked(ctx, bucket):
        return policy
    own = {"StringEquals": {"aws:PrincipalAccount": ctx.account}}
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    restricted = [{**one, "Condition": own} if _is_public(one) else one for one in statements]
    return {**policy, "Statement": restricted}
