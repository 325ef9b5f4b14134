"""Aliases of keys. https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.kms.keys import ALIASES, KEYS, find_key, own_key, put_alias
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    name = _checked(request["AliasName"])
    if ALIASES.get(ctx, name):
        raise AwsError(
            "AlreadyExistsException", f"An alias with the name {ctx.arn(name, service='kms')} already exists"
        )
    put_alias(ctx, name, own_key(ctx, request["TargetKeyId"])["KeyId"])
    return {}


@operation
async def update_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    known = _known(ctx, _checked(request["AliasName"]))
    key = own_key(ctx, request["TargetKeyId"])
    old = KEYS.get(ctx, known["TargetKeyId"])
    if old and (old["KeyUsage"], old["KeySpec"][:3]) != (key["KeyUsage"], key["KeySpec"][:3]):
        raise AwsError(
            "ValidationException", "The current key and the new key must be of the same type and usage."
        )
    put_alias(ctx, known["AliasName"], key["KeyId"])
    return {}


@operation
async def delete_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    ALIASES.delete(ctx, _known(ctx, _checked(request["AliasName"]))["AliasName"])
    return {}


@operation
async def list_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    wanted = {"TargetKeyId": find_key(ctx, request["KeyId"])["KeyId"]} if request.get("KeyId") else {}
    aliases, marker = page(
        ALIASES.list(ctx, **wanted),
        request.get("Limit") or 50,
        request.get("Marker"),
        lambda alias: alias["AliasName"],
        error="InvalidMarkerException",
    )
    return {"Aliases": aliases, "Truncated": marker is not None} | ({"NextMarker": marker} if marker else {})


def _checked(name: str) -> str:
    if not name.startswith("alias/") or len(name) == len("alias/"):
        raise AwsError("ValidationException", "Invalid identifier: an alias must begin with 'alias/'.")
    if name.startswith("alias/aws/"):
        raise AwsError("NotAuthorizedException", "Aliases that begin with 'alias/aws/' are reserved for AWS.")
    return name


def _known(ctx: Context, name: str) -> dict[str, Any]:
    alias = ALIASES.get(ctx, name)
    if alias is None:
        raise AwsError("NotFoundException", f"Alias {ctx.arn(name, service='kms')} is not found.")
    return alias
