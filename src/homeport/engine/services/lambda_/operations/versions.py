"""Published versions.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import find_function
from homeport.engine.services.lambda_.operations.functions import changeable
from homeport.engine.services.lambda_.publishing import publish
from homeport.engine.services.lambda_.tables import LATEST, VERSIONS, Row
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def publish_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html"""
    with ctx.store.transaction():
        function, _ = find_function(ctx, request)
        latest = changeable(ctx, request)
        digest = latest["configuration"]["CodeSha256"]
        if request.get("CodeSha256") not in (None, digest):
            raise AwsError(
                "InvalidParameterValueException",
                f"CodeSHA256 ({request['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({digest}). "
                "Please try again with the CodeSHA256 in $LATEST.",
                Type="User",
            )
        return publish(ctx, function, latest, request.get("Description"))["configuration"]


@operation
async def list_versions_by_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html"""
    function, _ = find_function(ctx, request)
    rows = sorted(VERSIONS.list(ctx, function["FunctionName"]), key=_order)
    size = min(request.get("MaxItems") or 50, 50)
    found, marker = page(rows, size, request.get("Marker"), _order, "InvalidParameterValueException")
    return {"Versions": [_shown(row) for row in found], "NextMarker": marker}


def _order(row: Row) -> int:
    return 0 if row["Version"] == LATEST else int(row["Version"])


def _shown(row: Row) -> Row:
    """`$LATEST` is listed with its version in the ARN, as the others are."""
    shown = row["configuration"]
    if row["Version"] != LATEST:
        return shown
    return {**shown, "FunctionArn": f"{shown['FunctionArn']}:{LATEST}"}
