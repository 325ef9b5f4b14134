"""What a bucket, or its whole account, does not let the public do.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import everywhere
from homeport.engine.services.s3.settings import delete_setting, get_setting, put_setting
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body, Table

ACCOUNTS = Table("s3_accounts", key=("Owner",))
"""What S3 keeps of each account."""

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def blocked(ctx: Context, bucket: Body) -> frozenset[str]:
    """What of BLOCKS is in effect for a bucket: by itself, or by its account."""
    account = ACCOUNTS.get(everywhere(ctx.store), bucket["Owner"]) or {}
    blocks = (bucket["settings"].get("public_access_block"), account.get("public_access_block"))
    return frozenset(name for block in blocks for name in BLOCKS if (block or {}).get(name))


def whole(block: Body) -> Body:
    """A configuration with all of its members."""
    return {name: bool(block.get(name)) for name in BLOCKS}


@operation
async def put_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html"""
    block = whole(request["PublicAccessBlockConfiguration"])
    return put_setting(ctx, request, "public_access_block", block)


@operation
async def get_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html"""
    return {"PublicAccessBlockConfiguration": get_setting(ctx, request, "public_access_block")}


@operation
async def delete_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html"""
    return delete_setting(ctx, request, "public_access_block")
