"""Temporary credentials of users. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.services.sts.assume_role import session_policies
from homeport.engine.services.sts.callers import identity
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.principal import Principal

SESSION_SECONDS = 12 * 3600
ROOT_SECONDS = 3600


@operation
async def get_session_token(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_sessions(ctx, "GetSessionToken")
    if request.get("SerialNumber") or request.get("TokenCode"):
        raise AwsError(
            "AccessDenied", "homeport has no MFA devices: leave SerialNumber and TokenCode out.", 403
        )
    principal = replace(ctx.principal, session_context={"user_session": True})
    seconds = request.get("DurationSeconds") or _default(ctx.principal)
    return {"Credentials": identity(ctx).sessions.issue(principal, seconds, ctx.now())}


@operation
async def get_federation_token(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_sessions(ctx, "GetFederationToken")
    user, name = ctx.principal, request["Name"]
    federated = Principal(
        "FederatedUser",
        ctx.account,
        ctx.arn(f"federated-user/{name}", service="sts", region=""),
        f"{ctx.account}:{name}",
        session_policies=session_policies(ctx, request),
        session_tags={tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()},
        session_context={"user": user.arn.rpartition("/")[2], "user_id": user.id},
    )
    seconds = request.get("DurationSeconds") or _default(user)
    return {
        "Credentials": identity(ctx).sessions.issue(federated, seconds, ctx.now()),
        "FederatedUser": {"FederatedUserId": federated.id, "Arn": federated.arn},
        "PackedPolicySize": 0,
    }


def _refuse_sessions(ctx: Context, operation_name: str) -> None:
    if "issued" in ctx.principal.session_context or ctx.principal.type not in ("User", "Root"):
        raise AwsError("AccessDenied", f"Cannot call {operation_name} with session credentials", 403)


def _default(principal: Principal) -> int:
    return ROOT_SECONDS if principal.type == "Root" else SESSION_SECONDS
