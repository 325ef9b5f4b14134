"""URLs at which the world tells a stack something: the handles of wait conditions, the responses of custom resources.

On AWS these are presigned S3 URLs; here they lead to the engine. Whoever knows the URL may use it: its token is
derived from the random id of the operation.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from homeport.engine.services.cloudformation.tables import SIGNALS, STACKS, Body
from homeport.engine.store.database import Scope
from homeport.engine.wire import http

if TYPE_CHECKING:
    from homeport.engine.services.context import Context
    from homeport.engine.services.engine import Engine

PREFIX = "_cloudformation"
LARGEST = 64 * 1024
"""Bytes that may be told, which become a row. On AWS a custom resource has 4,096."""


def callback_url(origin: str, stack_id: str, logical_id: str, token: str) -> str:
    """Where to PUT what concerns a resource; `origin` is how the engine is reached: `http://127.0.0.1:4566`."""
    return f"{origin}/{PREFIX}/{quote(stack_id, safe='')}/{logical_id}/{token}"


def told(ctx: Context, url: str) -> list[Body]:
    """What was PUT at a callback URL, one body for each unique id."""
    stack_id, key = _parts(urlsplit(url).path)
    return [row["message"] for row in SIGNALS.list(ctx, stack_id, key)]


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application behind the URLs."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        response = await _answer(engine, request)
        await response.send(send)

    return app


async def _answer(engine: Engine, request: http.Request) -> http.Response:
    if request.method != "PUT":
        return http.Response(405, {"allow": "PUT"}, b"")
    try:
        stack_id, key = _parts(request.raw_path)
        message = json.loads(await request.body(LARGEST))
        unique = str(message.get("UniqueId") or message.get("RequestId") or "")
        scope = Scope(*stack_id.split(":")[4:2:-1])
    except (ValueError, AttributeError, TypeError, IndexError):
        return http.Response(400, {}, b"The body must be a JSON object, such as a wait condition's signal.\n")
    ctx = engine.context("cloudformation", scope)
    if STACKS.get(ctx, stack_id) is None:
        return http.Response(404, {}, b"There is no such stack.\n")
    row = {"StackId": stack_id, "LogicalResourceId": key, "UniqueId": unique, "message": message}
    with ctx.store.transaction():
        SIGNALS.put(ctx, row)
        ctx.notify(f"cloudformation.wake:{stack_id}")
    return http.Response(200, {}, b"")


def _parts(path: str) -> tuple[str, str]:
    _, _, stack, logical_id, token = path.split("/")
    return unquote(stack), f"{logical_id}/{token}"
