"""How asynchronous invocations are tried again, and who is told of their results.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import arn_of, find_function, invalid, version_of
from homeport.engine.services.lambda_.tables import EVENT_CONFIGS, LATEST, Row
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_DESTINATIONS = ("sqs", "sns", "lambda", "events")


@operation
async def put_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html"""
    return _put(ctx, request, {})


@operation
async def update_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html"""
    return _put(ctx, request, _find(ctx, request))


def _put(ctx: Context, request: dict[str, Any], before: Row) -> dict[str, Any]:
    for kind, each in (request.get("DestinationConfig") or {}).items():
        arn = each.get("Destination", "")
        if arn and (arn.count(":") < 5 or arn.split(":")[2] not in _DESTINATIONS):
            raise invalid(
                f"The {kind} destination {arn} is none of homeport's: SQS, SNS, Lambda, EventBridge."
            )
    with ctx.store.transaction():
        name, qualifier = _key(ctx, request)
        row = {
            "FunctionName": name,
            "Qualifier": qualifier,
            "FunctionArn": arn_of(ctx, name, qualifier),
            **{key: before[key] for key in _MEMBERS if key in before},
            **{key: request[key] for key in _MEMBERS if key in request},
            "LastModified": ctx.now(),
        }
        EVENT_CONFIGS.put(ctx, row)
    return _shown(row)


def _key(ctx: Context, request: dict[str, Any]) -> tuple[str, str]:
    function, qualifier = find_function(ctx, request)
    version_of(ctx, function["FunctionName"], qualifier)
    return function["FunctionName"], qualifier or LATEST


def _shown(row: Row) -> Row:
    config = {"OnSuccess": {}, "OnFailure": {}, **row.get("DestinationConfig", {})}
    kept = {key: value for key, value in row.items() if key not in ("FunctionName", "Qualifier")}
    return {**kept, "DestinationConfig": config}


@operation
async def get_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html"""
    return _shown(_find(ctx, request))


def _find(ctx: Context, request: dict[str, Any]) -> Row:
    name, qualifier = _key(ctx, request)
    row = EVENT_CONFIGS.get(ctx, name, qualifier)
    if row is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"The function {arn_of(ctx, name, qualifier)} doesn't have an EventInvokeConfig",
            Type="User",
        )
    return row


@operation
async def list_function_event_invoke_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionEventInvokeConfigs.html"""
    function, _ = find_function(ctx, request)
    rows = EVENT_CONFIGS.list(ctx, function["FunctionName"])
    size = min(request.get("MaxItems") or 50, 50)
    found, marker = page(rows, size, request.get("Marker"), _qualifier, "InvalidParameterValueException")
    return {"FunctionEventInvokeConfigs": [_shown(row) for row in found], "NextMarker": marker}


def _qualifier(row: Row) -> str:
    return str(row["Qualifier"])


@operation
async def delete_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html"""
    with ctx.store.transaction():
        row = _find(ctx, request)
        EVENT_CONFIGS.delete(ctx, row["FunctionName"], row["Qualifier"])
    return {}
