"""Receivers of webhooks: applications beside the AWS API that GitHub, or what calls as it does, reaches.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from homeport.engine.wire import http
from homeport.engine.wire.constant_time import same
from homeport.engine.wire.errors import AwsError

LARGEST = 25 * 1024 * 1024
"""Bytes of the largest payload that GitHub sends."""


def receiver(answer: Callable[[http.Request], Awaitable[tuple[int, Any]]]) -> http.AsgiApp:
    """The ASGI application of `answer`, which takes a request to a status and a JSON body, or raises AwsError."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        try:
            status, body = await answer(http.request(scope, receive))
        except AwsError as error:
            status, body = error.status or 400, {"message": error.message}
        except http.BodyTooLarge:
            status, body = 413, {"message": f"A payload has at most {LARGEST} bytes"}
        headers = {"content-type": "application/json"}
        await http.Response(status, headers, json.dumps(body).encode()).send(send)

    return app


def check_signature(request: http.Request, payload: bytes, secret: str) -> None:
    """Raise AwsError (403) unless `X-Hub-Signature-256` was made from the payload with the secret."""
    expected = "sha256=" + hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    if not same(expected, request.headers.get("x-hub-signature-256", "")):
        raise AwsError("Forbidden", "The signature X-Hub-Signature-256 is missing or wrong", 403)
