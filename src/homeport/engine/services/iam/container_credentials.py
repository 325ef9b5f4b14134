"""The address at which a container finds its role's credentials: `GET /v2/credentials/<id>`.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from homeport.engine.wire import http
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import AsgiApp, Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "v2/credentials"


def endpoint(engine: Engine) -> AsgiApp:
    """The ASGI application below `/v2/credentials`."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        id = request.path.removeprefix(f"/{PREFIX}").strip("/")
        try:
            found = engine.identity.container_credentials(id) if request.method == "GET" else None
        except AwsError as error:
            body = {"code": error.code, "message": error.message}
            await _answer(400, body).send(send)
            return
        if found is None:
            await _answer(404, {"code": "NotFound", "message": "No credentials have this id."}).send(send)
        else:
            await _answer(200, found).send(send)

    return app


def _answer(status: int, body: dict[str, str]) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())
