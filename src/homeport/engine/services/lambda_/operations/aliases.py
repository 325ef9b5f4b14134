"""Aliases: names for versions.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import arn_of, find_function, invalid
from homeport.engine.services.lambda_.operations.functions import check_revision
from homeport.engine.services.lambda_.tables import ALIASES, EVENT_CONFIGS, LATEST, VERSIONS, Row
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html"""
    with ctx.store.transaction():
        function, _ = find_function(ctx, request)
        name, alias = function["FunctionName"], request["Name"]
        if re.fullmatch(r"[0-9]+", alias):
            raise invalid(f"The alias name {alias!r} is a number, which only versions have.")
        if ALIASES.get(ctx, name, alias):
            raise AwsError(
                "ResourceConflictException", f"Alias already exists: {arn_of(ctx, name, alias)}", Type="User"
            )
        row = {
            "FunctionName": name,
            "Name": alias,
            "AliasArn": arn_of(ctx, name, alias),
            "FunctionVersion": request["FunctionVersion"],
            "Description": request.get("Description", ""),
        }
        return _put(ctx, row, request)


def _put(ctx: Context, row: Row, request: dict[str, Any]) -> dict[str, Any]:
    if "RoutingConfig" in request:
        row.pop("RoutingConfig", None)
        if weights := request["RoutingConfig"].get("AdditionalVersionWeights"):
            row["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    weights = row.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    for version in (row["FunctionVersion"], *weights):
        if VERSIONS.get(ctx, row["FunctionName"], version) is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Function not found: {arn_of(ctx, row['FunctionName'], version)}",
                Type="User",
            )
    if weights and (LATEST in (row["FunctionVersion"], *weights) or row["FunctionVersion"] in weights):
        raise invalid("An alias with weights must point to two different published versions.")
    if len(weights) > 1 or not all(0.0 <= weight <= 1.0 for weight in weights.values()):
        raise invalid("An alias may have one additional version, whose weight is between 0.0 and 1.0.")
    row["RevisionId"] = str(uuid.uuid4())
    ALIASES.put(ctx, row)
    return row


@operation
async def get_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetAlias.html"""
    return _find(ctx, request)


def _find(ctx: Context, request: dict[str, Any]) -> Row:
    function, _ = find_function(ctx, request)
    row = ALIASES.get(ctx, function["FunctionName"], request["Name"])
    if row is None:
        arn = arn_of(ctx, function["FunctionName"], request["Name"])
        raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {arn}", Type="User")
    return row


@operation
async def list_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html"""
    function, _ = find_function(ctx, request)
    rows = ALIASES.list(ctx, function["FunctionName"])
    if version := request.get("FunctionVersion"):
        rows = [row for row in rows if row["FunctionVersion"] == version]
    size = min(request.get("MaxItems") or 50, 50)
    found, marker = page(rows, size, request.get("Marker"), _name, "InvalidParameterValueException")
    return {"Aliases": found, "NextMarker": marker}


def _name(row: Row) -> str:
    return str(row["Name"])


@operation
async def update_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html"""
    with ctx.store.transaction():
        row = _find(ctx, request)
        check_revision(request, row["RevisionId"])
        given: Row = {key: request[key] for key in ("FunctionVersion", "Description") if key in request}
        return _put(ctx, {**row, **given}, request)


@operation
async def delete_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html"""
    with ctx.store.transaction():
        function, _ = find_function(ctx, request)
        ALIASES.delete(ctx, function["FunctionName"], request["Name"])
        EVENT_CONFIGS.delete(ctx, function["FunctionName"], request["Name"])
    return {}
