"""Invocations.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.environment import Invocation
from homeport.engine.services.lambda_.events import EVENT
from homeport.engine.services.lambda_.invoking import (
    MAX_ASYNCHRONOUS,
    MAX_SYNCHRONOUS,
    check_state,
    checked,
    invoke_now,
)
from homeport.engine.services.lambda_.names import arn_of, find_function, version_of
from homeport.engine.services.service import operation


@operation
async def invoke(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    function, qualifier = find_function(ctx, request)
    name = function["FunctionName"]
    version = version_of(ctx, name, qualifier)
    kind = request.get("InvocationType") or "RequestResponse"
    if kind == "DryRun":
        return {"StatusCode": 204}
    limit = MAX_ASYNCHRONOUS if kind == "Event" else MAX_SYNCHRONOUS
    payload = checked(await _whole(request.get("Payload")), limit)
    invocation = Invocation(ctx.request_id, payload, arn_of(ctx, name, qualifier), _client_context(request))
    if kind == "Event":
        _accept(ctx, name, qualifier, invocation)
        return {"StatusCode": 202}
    check_state(version)
    tail = request.get("LogType") == "Tail"
    outcome = await invoke_now(ctx, version, invocation, tail)
    return {
        "StatusCode": 200,
        "FunctionError": outcome.error,
        "Payload": outcome.payload,
        "ExecutedVersion": version["Version"],
        "LogResult": base64.b64encode(outcome.tail).decode() if tail else None,
    }


@operation
async def invoke_async(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html"""
    function, qualifier = find_function(ctx, request)
    payload = checked(await _whole(request.get("InvokeArgs")), MAX_ASYNCHRONOUS)
    name = function["FunctionName"]
    _accept(ctx, name, qualifier, Invocation(ctx.request_id, payload, arn_of(ctx, name, qualifier)))
    return {"Status": 202}


def _accept(ctx: Context, name: str, qualifier: str | None, invocation: Invocation) -> None:
    """From here on the event is a row: it is not lost."""
    given = {
        "name": name,
        "qualifier": qualifier,
        "request_id": invocation.request_id,
        "payload": invocation.payload.decode(),
        "arn": invocation.arn,
        "client_context": invocation.client_context,
        "at": ctx.now(),
    }
    with ctx.store.transaction():
        ctx.start(EVENT, invocation.request_id, given)


async def _whole(payload: bytes | str | AsyncIterator[bytes] | None) -> bytes:
    if payload is None:
        return b""
    if isinstance(payload, str):
        return payload.encode()
    return payload if isinstance(payload, bytes) else b"".join([chunk async for chunk in payload])


def _client_context(request: dict[str, Any]) -> str | None:
    given = request.get("ClientContext")
    return base64.b64decode(given).decode(errors="replace") if given else None
