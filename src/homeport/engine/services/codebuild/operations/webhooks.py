"""Webhooks of projects: create, update, delete.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateWebhook.html
"""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.tables import PROJECTS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_SOURCES = ("GITHUB", "GITHUB_ENTERPRISE")
_MEMBERS = (
    "branchFilter",
    "filterGroups",
    "buildType",
    "manualCreation",
    "scopeConfiguration",
    "pullRequestBuildPolicy",
)
_EVENTS = (
    *("PUSH", "PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED", "PULL_REQUEST_MERGED"),
    *("PULL_REQUEST_CLOSED", "RELEASED", "PRERELEASED"),
)


@operation
async def create_webhook(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Have events of a project's repository start builds. The answer has the URL and the secret to give to GitHub:
    homeport has no way to register them there itself."""
    row = tables.project(ctx, request["projectName"])
    if "webhook" in row:
        raise AwsError("ResourceAlreadyExistsException", f"Project {row['name']} already has a webhook")
    if row["source"]["type"] not in _SOURCES:
        raise AwsError(
            "InvalidInputException",
            f"homeport receives webhooks of {' and '.join(_SOURCES)}; the source of {row['name']} is "
            f"{row['source']['type']}",
        )
    _check(request)
    secret = secrets.token_urlsafe(32)
    access = ctx.engine.config
    id = uuid.uuid4().hex
    row["webhook"] = {
        "url": f"{row['source']['location'].removesuffix('.git')}/settings/hooks",
        "payloadUrl": f"http://{access.host}:{access.port}/codebuild/webhooks/{id}",
        "status": "ACTIVE",
        "lastModifiedSecret": ctx.now(),
        **{name: request[name] for name in _MEMBERS if name in request},
    }
    row["_webhookSecret"] = secret
    PROJECTS.put(ctx, row)
    return {"webhook": row["webhook"] | {"secret": secret}}


@operation
async def update_webhook(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the filters, or make a new secret."""
    row = _with_webhook(ctx, request["projectName"])
    _check(request)
    row["webhook"] |= {name: request[name] for name in _MEMBERS if name in request}
    shown = {}
    if request.get("rotateSecret"):
        row["_webhookSecret"] = secrets.token_urlsafe(32)
        row["webhook"]["lastModifiedSecret"] = ctx.now()
        shown = {"secret": row["_webhookSecret"]}
    PROJECTS.put(ctx, row)
    return {"webhook": row["webhook"] | shown}


@operation
async def delete_webhook(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Have events start builds no more."""
    row = _with_webhook(ctx, request["projectName"])
    del row["webhook"], row["_webhookSecret"]
    PROJECTS.put(ctx, row)
    return {}


def _with_webhook(ctx: Context, name: str) -> Row:
    row = tables.project(ctx, name)
    if "webhook" not in row:
        raise AwsError("ResourceNotFoundException", f"Project {name} has no webhook")
    return row


def _check(request: dict[str, Any]) -> None:
    if request.get("scopeConfiguration"):
        _refuse(
            "homeport receives webhooks of repositories, not of organizations: leave scopeConfiguration out"
        )
    policy = request.get("pullRequestBuildPolicy", {}).get("requiresCommentApproval", "DISABLED")
    if policy != "DISABLED":
        _refuse(f"homeport reads no comments of pull requests: requiresCommentApproval cannot be {policy}")
    for group in request.get("filterGroups", []):
        if not any(each["type"] == "EVENT" for each in group):
            raise AwsError("InvalidInputException", "Each filter group needs a filter of the type EVENT")
        for each in group:
            if each["type"] in ("WORKFLOW_NAME", "ORGANIZATION_NAME"):
                _refuse(f"homeport runs no jobs of GitHub Actions or organizations: no filter {each['type']}")
            if each["type"] == "EVENT":
                if unknown := [word for word in re.split(r",\s*", each["pattern"]) if word not in _EVENTS]:
                    raise AwsError("InvalidInputException", f"Invalid event: {', '.join(unknown)}")
                continue
            try:
                re.compile(each["pattern"])
            except re.error as error:
                raise AwsError(
                    "InvalidInputException", f"Invalid regular expression {each['pattern']!r}: {error}"
                ) from None


def _refuse(message: str) -> None:
    raise AwsError("InvalidInputException", message)
