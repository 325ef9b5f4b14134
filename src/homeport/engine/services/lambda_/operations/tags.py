"""Tags of functions.

https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import find_function, invalid
from homeport.engine.services.lambda_.tables import FUNCTIONS, Row
from homeport.engine.services.service import operation


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html"""
    with ctx.store.transaction():
        function = _find(ctx, request)
        tags = {**function["Tags"], **request["Tags"]}
        if len(tags) > 50:
            raise invalid("A function has at most 50 tags.")
        FUNCTIONS.put(ctx, {**function, "Tags": tags})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html"""
    with ctx.store.transaction():
        function = _find(ctx, request)
        tags = {key: value for key, value in function["Tags"].items() if key not in request["TagKeys"]}
        FUNCTIONS.put(ctx, {**function, "Tags": tags})
    return {}


@operation
async def list_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html"""
    return {"Tags": _find(ctx, request)["Tags"]}


def _find(ctx: Context, request: dict[str, Any]) -> Row:
    function, qualifier = find_function(ctx, {"FunctionName": request["Resource"]})
    if qualifier:
        raise invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    return function
