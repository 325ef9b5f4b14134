"""Rotation of key material. https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.kms.due import DUE
from homeport.engine.services.kms.keys import KEYS, SYMMETRIC, Body, find_key, own_key
from homeport.engine.services.kms.rotation import DEFAULT_DAYS, rotated
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

DAY = 24 * 3600


@operation
async def enable_key_rotation(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = _rotatable(own_key(ctx, request["KeyId"]))
    days = request.get("RotationPeriodInDays") or DEFAULT_DAYS
    rotation = {**key["Rotation"], "Days": days, "Next": ctx.now() + days * DAY}
    with ctx.store.transaction():
        KEYS.put(ctx, key | {"Rotation": rotation})
        ctx.wake(DUE.name, key["KeyId"])
    return {}


@operation
async def disable_key_rotation(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = _rotatable(own_key(ctx, request["KeyId"]))
    kept = {name: value for name, value in key["Rotation"].items() if name not in ("Days", "Next")}
    KEYS.put(ctx, key | {"Rotation": kept})
    return {}


@operation
async def get_key_rotation_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = find_key(ctx, request["KeyId"])
    rotation = key["Rotation"]
    answer: Body = {"KeyId": key["Arn"], "KeyRotationEnabled": "Days" in rotation}
    if "Days" in rotation:
        answer |= {"RotationPeriodInDays": rotation["Days"], "NextRotationDate": rotation["Next"]}
    return answer


@operation
async def rotate_key_on_demand(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = _rotatable(own_key(ctx, request["KeyId"]))
    if sum(1 for one in key["Rotation"].get("Past", ()) if one["RotationType"] == "ON_DEMAND") >= 25:
        raise AwsError("LimitExceededException", "A key can be rotated on demand at most 25 times.")
    KEYS.put(ctx, rotated(ctx, key, "ON_DEMAND"))
    return {"KeyId": key["Arn"]}


@operation
async def list_key_rotations(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = find_key(ctx, request["KeyId"])
    return {
        "Rotations": [{"KeyId": key["Arn"], **one} for one in key["Rotation"].get("Past", ())],
        "Truncated": False,
    }


def _rotatable(key: Body) -> Body:
    if key["KeySpec"] != SYMMETRIC:
        raise AwsError("UnsupportedOperationException", f"{key['Arn']} is not a symmetric encryption key.")
    if key["KeyState"] == "Disabled":
        raise AwsError("DisabledException", f"{key['Arn']} is disabled.")
    return key
