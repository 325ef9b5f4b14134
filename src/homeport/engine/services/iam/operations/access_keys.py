"""Access keys of users. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import ALPHABET, USER, Body, listed, without
from homeport.engine.services.iam.operations.users import own_name
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

MAX_KEYS = 2


@operation
async def create_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.get(at, request.get("UserName") or own_name(ctx))
    if len(tables.ACCESS_KEYS.list(at, UserName=user["UserName"])) >= MAX_KEYS:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}")
    key = {
        "UserName": user["UserName"],
        "AccessKeyId": "AKIA" + "".join(secrets.choice(ALPHABET) for _ in range(16)),
        "Status": "Active",
        "SecretAccessKey": secrets.token_urlsafe(30),
        "CreateDate": float(int(ctx.now())),
    }
    tables.ACCESS_KEYS.put(at, key)
    return {"AccessKey": key}


@operation
async def update_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    key = _key(at, request.get("UserName"), request["AccessKeyId"])
    tables.ACCESS_KEYS.put(at, key | {"Status": request["Status"]})
    return {}


@operation
async def delete_access_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    key = _key(at, request.get("UserName"), request["AccessKeyId"])
    tables.ACCESS_KEYS.delete(at, key["AccessKeyId"])
    return {}


@operation
async def list_access_keys(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.get(at, request.get("UserName") or own_name(ctx))
    keys = tables.ACCESS_KEYS.list(at, UserName=user["UserName"])
    return listed(
        "AccessKeyMetadata",
        keys,
        request,
        lambda key: key["AccessKeyId"],
        lambda key: without(key, "SecretAccessKey", "LastUsed"),
    )


@operation
async def get_access_key_last_used(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    key = _key(at, None, request["AccessKeyId"])
    used: dict[str, Any] = {"Region": "N/A", "ServiceName": "N/A"}
    if last := key.get("LastUsed"):
        used = {**last, "LastUsedDate": datetime.fromtimestamp(last["LastUsedDate"], UTC)}
    return {"UserName": key["UserName"], "AccessKeyLastUsed": used}


def _key(at: At, user: str | None, id: str) -> Body:
    key = tables.ACCESS_KEYS.get(at, id)
    if key is None or (user is not None and key["UserName"] != user):
        raise AwsError("NoSuchEntity", f"The Access Key with id {id} cannot be found.")
    return key
