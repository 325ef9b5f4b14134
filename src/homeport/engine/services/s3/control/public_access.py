"""What an account lets the public do with none of its buckets.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.buckets import everywhere
from homeport.engine.services.s3.public_access import ACCOUNTS, whole
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html"""
    check_account(ctx, request)
    block = whole(request["PublicAccessBlockConfiguration"])
    ACCOUNTS.put(everywhere(ctx.store), {"Owner": ctx.account, "public_access_block": block})
    return {}


@operation
async def get_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html"""
    check_account(ctx, request)
    row = ACCOUNTS.get(everywhere(ctx.store), ctx.account)
    if row is None:
        raise AwsError(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            404,
            AccountId=ctx.account,
        )
    return {"PublicAccessBlockConfiguration": row["public_access_block"]}


@operation
async def delete_public_access_block(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DeletePublicAccessBlock.html"""
    check_account(ctx, request)
    ACCOUNTS.delete(everywhere(ctx.store), ctx.account)
    return {}


def check_account(ctx: Context, request: dict[str, Any]) -> None:
    """Raises AccessDenied for another account's id."""
    if request["AccountId"] != ctx.account:
        raise AwsError("AccessDenied", "Access Denied", 403)
