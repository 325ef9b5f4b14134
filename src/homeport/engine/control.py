"""What the `homeport engine` commands ask of a running engine, under `/_homeport/`: status and reset.

It is no side door to the services: it tells nothing of them and changes nothing but by emptying the engine. Reset
needs the token that stands, readable for its user only, in the data folder's `engine.json`.
"""

from __future__ import annotations

import json
import os
import resource
import time
from typing import TYPE_CHECKING, Any

from homeport.engine.wire import http
from homeport.engine.wire.constant_time import same
from homeport.engine.wire.http import Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

TOKEN_HEADER = "x-homeport-token"


class Control:
    """The ASGI application at `/_homeport`."""

    def __init__(self, engine: Engine, token: str) -> None:
        self._engine = engine
        self._token = token
        self._started = time.time()

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        route = (request.method, request.path)
        if route == ("GET", "/_homeport/status"):
            await _json(200, self._status()).send(send)
        elif route == ("POST", "/_homeport/reset"):
            if same(self._token, request.headers.get(TOKEN_HEADER, "")):
                await self._engine.reset()
                await _json(200, {}).send(send)
            else:
                await _json(403, {"message": "reset needs the token of the data folder's engine.json"}).send(
                    send
                )
        else:
            await _json(404, {"message": f"{request.path} is not one of the engine's own addresses"}).send(
                send
            )

    def _status(self) -> dict[str, Any]:
        config = self._engine.config
        return {
            "id": self._engine.id,
            "pid": os.getpid(),
            "data": str(config.data),
            "account": config.account,
            "region": config.region,
            "auth": config.auth,
            "services": sorted(self._engine.services),
            "uptime_seconds": round(time.time() - self._started, 1),
            "memory_bytes": _resident_bytes(),
        }


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())
