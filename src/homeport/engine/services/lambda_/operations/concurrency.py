"""Reserved concurrency, and the account's limits.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.names import find_function, invalid
from homeport.engine.services.lambda_.pool import ACCOUNT_CONCURRENCY
from homeport.engine.services.lambda_.tables import FUNCTIONS, LATEST, VERSIONS
from homeport.engine.services.service import operation

_UNRESERVED = 100
"""What must be left for functions without a reservation."""


@operation
async def put_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html"""
    wanted = request["ReservedConcurrentExecutions"]
    with ctx.store.transaction():
        function, _ = find_function(ctx, request)
        others = _reserved(ctx) - function.get("ReservedConcurrentExecutions", 0)
        if wanted + others > ACCOUNT_CONCURRENCY - _UNRESERVED:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED}]."
            )
        FUNCTIONS.put(ctx, {**function, "ReservedConcurrentExecutions": wanted})
    return {"ReservedConcurrentExecutions": wanted}


def _reserved(ctx: Context) -> int:
    return sum(row.get("ReservedConcurrentExecutions", 0) for row in FUNCTIONS.list(ctx))


@operation
async def get_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html"""
    function, _ = find_function(ctx, request)
    return {"ReservedConcurrentExecutions": function.get("ReservedConcurrentExecutions")}


@operation
async def delete_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html"""
    with ctx.store.transaction():
        function, _ = find_function(ctx, request)
        function.pop("ReservedConcurrentExecutions", None)
        FUNCTIONS.put(ctx, function)
    return {}


@operation
async def get_account_settings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html"""
    versions = VERSIONS.list(ctx)
    return {
        "AccountLimit": {
            "TotalCodeSize": 80530636800,
            "CodeSizeUnzipped": 262144000,
            "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
            "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY - _reserved(ctx),
        },
        "AccountUsage": {
            "TotalCodeSize": sum(row["configuration"]["CodeSize"] for row in versions),
            "FunctionCount": sum(row["Version"] == LATEST for row in versions),
        },
    }
