"""The runtime API, by which the program in a container gets invocations and answers them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homeport.engine.services.lambda_.container import HOST_SUFFIX
from homeport.engine.services.lambda_.environment import Environment
from homeport.engine.services.lambda_.pool import Pool
from homeport.engine.wire import http
from homeport.engine.wire.http import Request, Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "2018-06-01/runtime"
MAX_PAYLOAD = 6 * 1024 * 1024


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application below `/2018-06-01/runtime`. The host name tells which environment asks."""
    pool = engine.part(Pool)

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        host = request.headers.get("host", "").partition(":")[0]
        environment = pool.find(host.removesuffix(HOST_SUFFIX))
        if environment is None:
            response = _refused(403, "Forbidden", "No execution environment has this address.")
        else:
            try:
                response = await _answer(environment, request)
            except http.BodyTooLarge:
                response = _refused(413, "RequestEntityTooLarge", "The body is too large.")
            except http.Disconnected:
                return
        if request.has_unread_body:
            response.headers["connection"] = "close"
        await response.send(send)

    return app


async def _answer(environment: Environment, request: Request) -> Response:
    path = request.path.removeprefix(f"/{PREFIX}/").split("/")
    match (request.method, *path):
        case ("GET", "invocation", "next"):
            return await _next(environment)
        case ("POST", "invocation", id, "response"):
            try:
                payload = await request.body(MAX_PAYLOAD)
            except http.BodyTooLarge:
                too_large = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
                fault = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": too_large}
                environment.respond(id, json.dumps(fault).encode(), "Unhandled")
                return _refused(413, "RequestEntityTooLarge", too_large)
            return _taken(environment.respond(id, payload, None))
        case ("POST", "invocation", id, "error"):
            return _taken(environment.respond(id, await request.body(MAX_PAYLOAD), "Unhandled"))
        case ("POST", "init", "error"):
            environment.fail_init(await request.body(MAX_PAYLOAD))
            return _taken(True)
    return _refused(404, "NotFound", f"The runtime API has no {request.method} {request.path[:128]}.")


async def _next(environment: Environment) -> Response:
    given = await environment.next()
    if given is None:
        return _refused(410, "Gone", "The execution environment ends.")
    invocation, deadline = given
    trace = invocation.request_id.replace("-", "")[:24]
    headers = {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": invocation.request_id,
        "lambda-runtime-deadline-ms": str(int(deadline * 1000)),
        "lambda-runtime-invoked-function-arn": invocation.arn,
        "lambda-runtime-trace-id": f"Root=1-{int(deadline):08x}-{trace};Sampled=0",
    }
    if invocation.client_context:
        headers["lambda-runtime-client-context"] = invocation.client_context
    return Response(200, headers, invocation.payload)


def _taken(known: bool) -> Response:
    if not known:
        return _refused(400, "InvalidRequestID", "No invocation of this id is under way.")
    return Response(202, {"content-type": "application/json"}, b'{"status": "OK"}')


def _refused(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"errorMessage": message, "errorType": kind}).encode()
    return Response(status, {"content-type": "application/json"}, body)
