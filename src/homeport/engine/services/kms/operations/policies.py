"""Key policies and grants. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.kms.keys import KEYS, Body, find_key, live_key, own_key
from homeport.engine.services.kms.policies import checked_policy
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def get_key_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _check_name(request)
    return {"Policy": find_key(ctx, request["KeyId"])["Policy"], "PolicyName": "default"}


@operation
async def put_key_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _check_name(request)
    key = own_key(ctx, request["KeyId"])
    bypass = bool(request.get("BypassPolicyLockoutSafetyCheck"))
    KEYS.put(ctx, key | {"Policy": checked_policy(ctx, request["Policy"], bypass=bypass)})
    return {}


@operation
async def list_key_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    find_key(ctx, request["KeyId"])
    return {"PolicyNames": ["default"], "Truncated": False}


@operation
async def create_grant(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = live_key(find_key(ctx, request["KeyId"]))
    grant: Body = {
        "GrantId": secrets.token_hex(32),
        "GrantToken": secrets.token_urlsafe(48),
        "CreationDate": ctx.now(),
        "IssuingAccount": f"arn:aws:iam::{ctx.account}:root",
    }
    for member in ("Name", "GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints"):
        if member in request:
            grant[member] = request[member]
    KEYS.put(ctx, key | {"Grants": [*key["Grants"], grant]})
    return {"GrantId": grant["GrantId"], "GrantToken": grant["GrantToken"]}


@operation
async def list_grants(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = find_key(ctx, request["KeyId"])
    grants = [
        _shown(key, grant)
        for grant in key["Grants"]
        if request.get("GrantId") in (None, grant["GrantId"])
        and request.get("GranteePrincipal") in (None, grant["GranteePrincipal"])
    ]
    return {"Grants": grants, "Truncated": False}


@operation
async def list_retirable_grants(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    grants = [
        _shown(key, grant)
        for key in KEYS.list(ctx)
        for grant in key["Grants"]
        if grant.get("RetiringPrincipal") == request["RetiringPrincipal"]
    ]
    return {"Grants": grants, "Truncated": False}


@operation
async def revoke_grant(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    _remove(ctx, find_key(ctx, request["KeyId"]), "GrantId", request["GrantId"])
    return {}


@operation
async def retire_grant(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if token := request.get("GrantToken"):
        for key in KEYS.list(ctx):
            if any(grant["GrantToken"] == token for grant in key["Grants"]):
                _remove(ctx, key, "GrantToken", token)
                return {}
        raise AwsError("InvalidGrantTokenException", "The grant token is not valid.")
    if not request.get("KeyId") or not request.get("GrantId"):
        raise AwsError("ValidationException", "Give either a GrantToken, or a KeyId and a GrantId.")
    _remove(ctx, find_key(ctx, request["KeyId"]), "GrantId", request["GrantId"])
    return {}


def _remove(ctx: Context, key: Body, member: str, value: str) -> None:
    kept = [grant for grant in key["Grants"] if grant[member] != value]
    if len(kept) == len(key["Grants"]):
        raise AwsError("NotFoundException", f"Grant ID {value} not found")
    KEYS.put(ctx, key | {"Grants": kept})


def _shown(key: Body, grant: Body) -> Body:
    return {"KeyId": key["Arn"], **{name: value for name, value in grant.items() if name != "GrantToken"}}


def _check_name(request: dict[str, Any]) -> None:
    if request.get("PolicyName") not in (None, "default"):
        raise AwsError("NotFoundException", "No such policy exists: a key's only policy is 'default'.")
