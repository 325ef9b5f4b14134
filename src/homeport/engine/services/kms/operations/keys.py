"""Keys from creation to deletion. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.kms.due import DUE
from homeport.engine.services.kms.keys import KEYS, find_key, make_key, metadata, own_key
from homeport.engine.services.kms.policies import checked_policy
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

DAY = 24 * 3600


@operation
async def create_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if document := request.get("Policy"):
        checked_policy(ctx, document, bypass=bool(request.get("BypassPolicyLockoutSafetyCheck")))
    return {"KeyMetadata": metadata(make_key(ctx, request))}


@operation
async def describe_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"KeyMetadata": metadata(find_key(ctx, request["KeyId"]))}


@operation
async def list_keys(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    keys, marker = page(
        KEYS.list(ctx),
        request.get("Limit") or 100,
        request.get("Marker"),
        lambda key: key["KeyId"],
        error="InvalidMarkerException",
    )
    found = [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]} for key in keys]
    return {"Keys": found, "Truncated": marker is not None} | ({"NextMarker": marker} if marker else {})


@operation
async def update_key_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    KEYS.put(ctx, own_key(ctx, request["KeyId"]) | {"Description": request["Description"]})
    return {}


@operation
async def enable_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    KEYS.put(ctx, own_key(ctx, request["KeyId"]) | {"KeyState": "Enabled", "Enabled": True})
    return {}


@operation
async def disable_key(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    KEYS.put(ctx, own_key(ctx, request["KeyId"]) | {"KeyState": "Disabled", "Enabled": False})
    return {}


@operation
async def schedule_key_deletion(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    days = request.get("PendingWindowInDays") or 30
    if not 7 <= days <= 30:
        raise AwsError("ValidationException", "PendingWindowInDays must be between 7 and 30.")
    key = own_key(ctx, request["KeyId"])
    date = ctx.now() + days * DAY
    with ctx.store.transaction():
        KEYS.put(ctx, key | {"KeyState": "PendingDeletion", "Enabled": False, "DeletionDate": date})
        ctx.wake(DUE.name, key["KeyId"])
    return {
        "KeyId": key["Arn"],
        "DeletionDate": date,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }


@operation
async def cancel_key_deletion(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = find_key(ctx, request["KeyId"])
    if key["KeyState"] != "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key['Arn']} is not pending deletion.")
    del key["DeletionDate"]
    KEYS.put(ctx, key | {"KeyState": "Disabled", "Enabled": False})
    return {"KeyId": key["Arn"]}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = own_key(ctx, request["KeyId"])
    tags = {tag["TagKey"]: tag for tag in (*key["Tags"], *request["Tags"])}
    if len(tags) > 50:
        raise AwsError("TagException", "A key can have at most 50 tags.")
    KEYS.put(ctx, key | {"Tags": list(tags.values())})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    key = own_key(ctx, request["KeyId"])
    KEYS.put(ctx, key | {"Tags": [tag for tag in key["Tags"] if tag["TagKey"] not in request["TagKeys"]]})
    return {}


@operation
async def list_resource_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": find_key(ctx, request["KeyId"])["Tags"], "Truncated": False}
