"""The addresses at which a function's archive can be downloaded, as GetFunction tells them: for ten minutes, by
whoever knows them.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from homeport.engine.services.context import Context
from homeport.engine.services.lambda_ import packages
from homeport.engine.services.seal import Seal
from homeport.engine.wire import http
from homeport.engine.wire.http import Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "_lambda"
_PURPOSE = "lambda code"
_SECONDS = 600.0


def location(ctx: Context, digest: str) -> str:
    """Where the archive of this digest can be downloaded."""
    named = ctx.call.headers.get("host") if ctx.call else None
    host = named or f"{ctx.engine.config.host}:{ctx.engine.config.port}"
    token = Seal(ctx.store).close({"package": digest, "until": ctx.now() + _SECONDS}, _PURPOSE)
    return f"http://{host}/{PREFIX}/{quote(token, safe='')}"


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application behind the addresses."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        token = request.path.removeprefix(f"/{PREFIX}/")
        told = Seal(engine.store).open(token, _PURPOSE) if request.method == "GET" else None
        if told is None or told["until"] < engine.now():
            response = Response(403, {"content-type": "text/plain"}, b"This address is not valid any more.\n")
        else:
            content = packages.path(engine, told["package"]).read_bytes()
            response = Response(200, {"content-type": "application/zip"}, content)
        await response.send(send)

    return app
