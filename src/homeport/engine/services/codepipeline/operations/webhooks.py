"""Webhooks that start a pipeline.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutWebhook.html
"""

from __future__ import annotations

import secrets
from typing import Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.tables import WEBHOOKS, Row
from homeport.engine.services.codepipeline.webhook_receiver import PREFIX, SEALED, seal
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_SETTING = {"GITHUB_HMAC": "SecretToken", "IP": "AllowedIPRange"}


@operation
async def put_webhook(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create or change a webhook; its URL stays."""
    definition = request["webhook"]
    tables.pipeline(ctx, definition["targetPipeline"])
    setting = _SETTING.get(definition["authentication"])
    if setting and not definition["authenticationConfiguration"].get(setting):
        raise AwsError(
            "InvalidWebhookAuthenticationParametersException",
            f"{setting} is required for the authentication {definition['authentication']}",
        )
    for one in definition["filters"]:
        if not one["jsonPath"].startswith("$"):
            raise AwsError(
                "InvalidWebhookFilterPatternException",
                f"'{one['jsonPath']}' is not a JSON path: it must start with $",
            )
    known = WEBHOOKS.get(ctx, definition["name"])
    settings = definition["authenticationConfiguration"]
    row = {
        "name": definition["name"],
        "definition": definition | {"authenticationConfiguration": {}},
        "sealed": seal(ctx.engine).close(settings, SEALED),
        "token": known["token"] if known else secrets.token_urlsafe(24),
        "tags": {tag["key"]: tag["value"] for tag in request.get("tags", ())}
        or (known or {}).get("tags", {}),
    }
    WEBHOOKS.put(ctx, row)
    return {"webhook": _shown(ctx, row)}


@operation
async def list_webhooks(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All webhooks; their secrets are not shown."""
    rows, token = page(
        WEBHOOKS.list(ctx),
        request.get("MaxResults") or 100,
        request.get("NextToken"),
        lambda row: row["name"],
    )
    return {"webhooks": [_shown(ctx, row) for row in rows], "NextToken": token}


@operation
async def delete_webhook(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a webhook; deleting none is no error."""
    WEBHOOKS.delete(ctx, request["name"])
    return {}


@operation
async def register_webhook_with_third_party(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Homeport holds no credentials of the provider: it says which URL to enter there."""
    row = _named(ctx, request)
    raise AwsError(
        "ValidationException",
        f"homeport cannot register the webhook '{row['name']}' at the provider: add {_url(ctx, row)} there yourself",
    )


@operation
async def deregister_webhook_with_third_party(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Nothing was registered by homeport, so there is nothing to take back."""
    _named(ctx, request)
    return {}


def _named(ctx: Context, request: dict[str, Any]) -> Row:
    row = WEBHOOKS.get(ctx, request.get("webhookName", ""))
    if row is None:
        raise AwsError("WebhookNotFoundException", f"There is no webhook '{request.get('webhookName', '')}'")
    return row


def _shown(ctx: Context, row: Row) -> Row:
    settings = seal(ctx.engine).open(row["sealed"], SEALED) or {}
    hidden = {"SecretToken": "****"} if "SecretToken" in settings else {}
    definition = row["definition"] | {"authenticationConfiguration": settings | hidden}
    shown = {
        "definition": definition,
        "url": _url(ctx, row),
        "arn": ctx.arn(f"webhook:{row['name']}"),
        "tags": [{"key": key, "value": value} for key, value in row["tags"].items()],
    }
    return shown | {key: row[key] for key in ("lastTriggered", "errorCode", "errorMessage") if row.get(key)}


def _url(ctx: Context, row: Row) -> str:
    config = ctx.engine.config
    return f"http://{config.host}:{config.port}/{PREFIX}/{row['token']}"
