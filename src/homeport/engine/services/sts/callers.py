"""Who calls, whose a key is, what a denial said. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam.denials import ENCODED
from homeport.engine.services.iam.identity import IamIdentity
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def get_caller_identity(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    principal = ctx.principal
    if principal.type == "Anonymous":
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return {"UserId": principal.id, "Account": principal.account, "Arn": principal.arn}


@operation
async def get_access_key_info(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if not request["AccessKeyId"].startswith(("AKIA", "ASIA")):
        raise AwsError("ValidationError", f"Invalid access key id: {request['AccessKeyId']}")
    return {"Account": ctx.account}


@operation
async def decode_authorization_message(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    message = identity(ctx).seal.open(request["EncodedMessage"], ENCODED)
    if message is None:
        raise AwsError("InvalidAuthorizationMessageException", "Message is not valid")
    return {"DecodedMessage": json.dumps(message)}


def identity(ctx: Context) -> IamIdentity:
    """The engine's identity, which is IAM's where STS runs."""
    found = ctx.engine.identity
    assert isinstance(found, IamIdentity)
    return found
