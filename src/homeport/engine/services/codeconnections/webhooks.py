"""The receiver of webhooks: `POST /webhooks/<connection id>`, as a GitHub webhook calls it.

GET /webhooks/<connection id>                       the deliveries that were kept
POST /webhooks/<connection id>/<delivery id>        carry one out again
Both take the connection's webhook secret as a bearer token.
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codeconnections import deliveries, repositories
from homeport.engine.services.codeconnections.tables import CONNECTIONS, DELIVERIES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.webhook import LARGEST, check_signature, receiver
from homeport.engine.wire import http
from homeport.engine.wire.constant_time import same
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "webhooks"
_PATH = re.compile(r"^/webhooks/(?P<connection>[0-9a-f-]{36})(?:/(?P<delivery>[\w-]{1,100}))?$")


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""
    return receiver(partial(_answer, engine))


async def _answer(engine: Engine, request: http.Request) -> tuple[int, Any]:
    found = _PATH.match(request.path)
    if found is None:
        raise AwsError("NotFound", "There is nothing here: webhooks go to /webhooks/<connection id>", 404)
    ctx, connection = _connection(engine, found["connection"])
    secret = (await repositories.secret(ctx, connection)).get("webhookSecret")
    if not secret:
        raise AwsError(
            "Forbidden",
            f"The connection {connection['ConnectionName']} has no webhook secret: name a secret with a "
            f"webhookSecret in its tag {repositories.SECRET_TAG}",
            403,
        )
    if request.method == "POST" and not found["delivery"]:
        return await _receive(ctx, connection, request, secret)
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not same(secret, given):
        raise AwsError("Forbidden", "The webhook secret is wrong", 403)
    if request.method == "GET" and not found["delivery"]:
        return 200, [_shown(row) for row in DELIVERIES.list(ctx, connection["id"])]
    if request.method == "POST":
        row = deliveries.redeliver(ctx, connection, found["delivery"])
        if row is None:
            raise AwsError("NotFound", f"There is no delivery {found['delivery']}", 404)
        return 202, _shown(row)
    raise AwsError("MethodNotAllowed", f"{request.method} is not allowed here", 405)


def _connection(engine: Engine, id: str) -> tuple[Context, Row]:
    for scope, row in CONNECTIONS.everywhere(engine.store):
        if row["id"] == id:
            return engine.context("codeconnections", scope), row
    raise AwsError("NotFound", f"There is no connection {id}", 404)


async def _receive(
    ctx: Context, connection: Row, request: http.Request, secret: str
) -> tuple[int, dict[str, str]]:
    payload = await request.body(LARGEST)
    try:
        check_signature(request, payload, secret)
    except AwsError as error:
        deliveries.refuse(ctx, connection, error.message)
        raise
    event, delivery = request.headers.get("x-github-event"), request.headers.get("x-github-delivery")
    if not event or not delivery:
        raise AwsError("BadRequest", "The headers X-GitHub-Event and X-GitHub-Delivery are missing", 400)
    if event == "ping":
        return 200, {"message": "pong"}
    if not deliveries.receive(ctx, connection, delivery, event, payload):
        return 200, {"message": f"The delivery {delivery} was received before"}
    return 202, {"message": f"The delivery {delivery} is accepted"}


def _shown(row: Row) -> Row:
    members = (
        "deliveryId",
        "event",
        "status",
        "reason",
        "started",
        "receivedAt",
        "endedAt",
        "attempt",
        "size",
    )
    return {key: row[key] for key in members if key in row}
