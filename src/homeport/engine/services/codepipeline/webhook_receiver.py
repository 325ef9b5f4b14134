"""The receiver of pipeline webhooks: `POST /pipeline-webhooks/<token>` starts the target pipeline.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_WebhookDefinition.html
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import starting, tables
from homeport.engine.services.codepipeline.tables import PIPELINES, WEBHOOKS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.seal import Seal
from homeport.engine.services.webhook import LARGEST, check_signature, receiver
from homeport.engine.wire import http
from homeport.engine.wire.constant_time import same
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "pipeline-webhooks"
SEALED = "codepipeline.webhook"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""
    return receiver(partial(_receive, engine))


async def _receive(engine: Engine, request: http.Request) -> tuple[int, dict[str, str]]:
    token = request.path.rpartition("/")[2]
    _webhook(engine, token)  # whom nobody knows sends no payload
    payload = await request.body(LARGEST)
    ctx, webhook = _webhook(engine, token)
    return 200, {"message": _start(ctx, webhook, request, payload)}


def _start(ctx: Context, webhook: Row, request: http.Request, payload: bytes) -> str:
    definition = webhook["definition"]
    settings = seal(ctx.engine).open(webhook["sealed"], SEALED) or {}
    try:
        _authenticate(definition["authentication"], settings, request, payload)
    except AwsError as error:
        WEBHOOKS.put(ctx, webhook | {"errorCode": "AuthenticationFailure", "errorMessage": error.message})
        raise
    pipeline = PIPELINES.get(ctx, definition["targetPipeline"])
    if pipeline is None:
        raise AwsError(
            "PipelineNotFoundException", f"There is no pipeline {definition['targetPipeline']}", 404
        )
    declaration = tables.declaration(ctx, pipeline["pipelineName"], pipeline["version"])
    action = next(
        (one for one in declaration["stages"][0]["actions"] if one["name"] == definition["targetAction"]),
        None,
    )
    if action is None:
        raise AwsError(
            "ActionNotFoundException", f"There is no source action {definition['targetAction']}", 404
        )
    if not matches(definition["filters"], payload, action["configuration"]):
        return "The filters of the webhook do not match: nothing was started"
    with ctx.store.transaction():
        WEBHOOKS.put(ctx, _without_error(webhook) | {"lastTriggered": ctx.now()})
        trigger = {
            "triggerType": "Webhook",
            "triggerDetail": ctx.arn(f"webhook:{webhook['name']}"),
        }
        token = _token(webhook, payload) if definition["authentication"] == "GITHUB_HMAC" else None
        id = starting.start(ctx, pipeline["pipelineName"], trigger, token=token)
    return f"Started the pipeline execution {id}"


def _without_error(webhook: Row) -> Row:
    return {key: value for key, value in webhook.items() if not key.startswith("error")}


def _webhook(engine: Engine, token: str) -> tuple[Context, Row]:
    for scope, row in WEBHOOKS.everywhere(engine.store):
        if same(row["token"], token):
            return engine.context("codepipeline", scope), row
    raise AwsError("WebhookNotFoundException", "There is no such webhook", 404)


def _token(webhook: Row, payload: bytes) -> str:
    """A signed payload that comes again, redelivered or replayed, starts nothing."""
    return f"webhook {webhook['token']} {hashlib.sha256(payload).hexdigest()}"


def seal(engine: Engine) -> Seal:
    """What webhooks' secrets are sealed with."""
    return Seal(engine.store)


def _authenticate(kind: str, settings: Row, request: http.Request, payload: bytes) -> None:
    if kind == "GITHUB_HMAC":
        check_signature(request, payload, settings["SecretToken"])
    elif kind == "IP":
        allowed = ipaddress.ip_network(settings["AllowedIPRange"], strict=False)
        if ipaddress.ip_address(request.client) not in allowed:
            raise AwsError("Forbidden", f"The address {request.client} is not in the allowed range", 403)


def matches(filters: list[Row], payload: bytes, configuration: dict[str, str]) -> bool:
    """Whether every filter's path leads to its value; `{Branch}` stands for the action's configuration."""
    try:
        body = json.loads(payload)
    except ValueError:
        return False
    for one in filters:
        found = _at(body, one["jsonPath"])
        wanted = one.get("matchEquals")
        if wanted is not None:
            wanted = _PLACEHOLDER.sub(lambda match: configuration.get(match[1], match[0]), wanted)
        if found is None or (wanted is not None and str(found) != wanted):
            return False
    return True


def _at(body: Any, path: str) -> Any:
    """What a JSON path of names and indexes (`$.commits[0].id`) leads to; None when it leads nowhere."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path.removeprefix("$")):
        if name:
            body = body.get(name) if isinstance(body, dict) else None
        else:
            body = body[int(index)] if isinstance(body, list) and int(index) < len(body) else None
    return body
