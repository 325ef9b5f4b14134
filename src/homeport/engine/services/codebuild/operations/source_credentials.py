"""Credentials for git servers: import, list, delete. Their tokens are written, never read.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ImportSourceCredentials.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild.tables import CREDENTIALS
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def import_source_credentials(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Keep the credentials of a kind of git server; there is one of each kind."""
    arn = ctx.arn(f"token/{request['serverType'].lower()}")
    if CREDENTIALS.get(ctx, arn) and request.get("shouldOverwrite") is False:
        raise AwsError(
            "ResourceAlreadyExistsException", f"Access token with server type {request['serverType']} exists"
        )
    row = {
        "arn": arn,
        "serverType": request["serverType"],
        "authType": request["authType"],
        "_token": request["token"],
    }
    CREDENTIALS.put(ctx, row | ({"username": request["username"]} if "username" in request else {}))
    return {"arn": arn}


@operation
async def list_source_credentials(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The credentials that were imported, without their tokens."""
    members = ("arn", "serverType", "authType")
    return {
        "sourceCredentialsInfos": [{name: row[name] for name in members} for row in CREDENTIALS.list(ctx)]
    }


@operation
async def delete_source_credentials(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Forget credentials."""
    if not CREDENTIALS.delete(ctx, request["arn"]):
        raise AwsError("ResourceNotFoundException", f"Access token cannot be found: {request['arn']}")
    return {"arn": request["arn"]}
