"""The receiver of webhooks: `POST /codebuild/webhooks/<id>`, as GitHub calls it.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codebuild import git_access, github
from homeport.engine.services.codebuild.launch import launch
from homeport.engine.services.codebuild.operations.build_batches import start_batch
from homeport.engine.services.codebuild.tables import PROJECTS, Row
from homeport.engine.services.codebuild.webhook_filters import Event, asks_for_more, from_github, starts
from homeport.engine.services.context import Context
from homeport.engine.services.webhook import LARGEST, check_signature, receiver
from homeport.engine.wire import http
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "codebuild/webhooks"


def mount(engine: Engine) -> http.AsgiApp:
    """The ASGI application."""
    return receiver(partial(_receive, engine))


async def _receive(engine: Engine, request: http.Request) -> tuple[int, dict[str, str]]:
    id = request.path.rpartition("/")[2]
    _project(engine, id)  # whom nobody knows sends no payload
    payload = await request.body(LARGEST)
    ctx, project = _project(engine, id)
    check_signature(request, payload, project["_webhookSecret"])
    try:
        event = from_github(request.headers.get("x-github-event", ""), json.loads(payload))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AwsError("BadRequest", "This is no payload of a GitHub webhook") from None
    webhook = project["webhook"]
    if event is not None and event.commit and asks_for_more(webhook.get("filterGroups", [])):
        event = await _completed(ctx, project, event)
    if event is None or not starts(webhook.get("filterGroups", []), webhook.get("branchFilter", ""), event):
        return 200, {"message": "No filter group matches"}
    wanted = _request(project, event, request.headers.get("x-github-delivery", ""))
    batch = webhook.get("buildType") == "BUILD_BATCH"
    if git_access.known(ctx, project["source"]):
        # what a webhook has started is always reported
        wanted["reportBuildBatchStatusOverride" if batch else "reportBuildStatusOverride"] = True
    initiator = "GitHub-Hookshot/homeport"
    if batch:
        return 202, {"message": "accepted", "id": start_batch(ctx, wanted, initiator)["id"]}
    return 202, {"message": "accepted", "id": launch(ctx, wanted, initiator)["id"]}


async def _completed(ctx: Context, project: Row, event: Event) -> Event:
    """The event of a pull request with its paths and its commit's message, which GitHub has to be asked for."""
    source, config = project["source"], ctx.engine.config
    try:
        login = await git_access.find(ctx, project["serviceRole"], source)
        token = login.token if login else ""
        paths = await github.changed_paths(config, source, event.number, token)
        message = await github.commit_message(config, source, event.commit, token)
    except (github.Refused, github.Unreachable) as error:
        raise AwsError("BadGateway", f"What the filters ask for cannot be had: {error}", 502) from None
    return replace(event, paths=tuple(paths), message=message)


def _project(engine: Engine, id: str) -> tuple[Context, Row]:
    for scope, row in PROJECTS.everywhere(engine.store):
        if row.get("webhook", {}).get("payloadUrl", "").rpartition("/")[2] == id:
            return engine.context("codebuild", scope), row
    raise AwsError("NotFound", f"There is no webhook {id}", 404)


def _request(project: Row, event: Event, delivery: str) -> dict[str, Any]:
    """The build that the event asks for, with what it is told of the event."""
    variables = {
        "CODEBUILD_WEBHOOK_TRIGGER": _trigger(event),
        "CODEBUILD_WEBHOOK_EVENT": event.name,
        "CODEBUILD_WEBHOOK_HEAD_REF": event.head_ref,
        "CODEBUILD_WEBHOOK_BASE_REF": event.base_ref,
        "CODEBUILD_WEBHOOK_PREV_COMMIT": event.previous,
        "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID": event.actor,
    }
    request: dict[str, Any] = {
        "projectName": project["name"],
        "sourceVersion": event.version,
        "environmentVariablesOverride": [
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items() if value
        ],
    }
    return request | ({"idempotencyToken": delivery} if delivery else {})


def _trigger(event: Event) -> str:
    if event.version.startswith("pr/"):
        return event.version
    kind, _, name = event.head_ref.removeprefix("refs/").partition("/")
    return f"{'tag' if kind == 'tags' else 'branch'}/{name}"
