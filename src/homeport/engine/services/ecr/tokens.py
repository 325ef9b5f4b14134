"""Authorization tokens: for twelve hours, the registry knows their bearer as the principal that asked for them.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
A token is a random secret whose hash is a row; what the bearer may do is asked of IAM on each use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tables import TOKENS
from homeport.engine.store.database import At
from homeport.engine.wire.principal import Principal

LIFETIME = 12 * 3600.0


def issue_token(ctx: Context, lifetime: float = LIFETIME, path: str | None = None) -> tuple[str, float]:
    """A token for the context's principal, and the time until which it is good. It works in the context's region;
    with `path` it opens nothing else."""
    payload = secrets.token_urlsafe(48)
    expires = ctx.now() + lifetime
    row = {"expiresAt": expires, "principal": asdict(ctx.principal), "path": path}
    with ctx.store.transaction():
        _forget_expired(ctx)
        TOKENS.put(ctx, row | {"tokenHash": _hash(payload)})
    text = {"payload": payload, "version": "2", "type": "DATA_KEY", "expiration": int(expires)}
    return base64.b64encode(json.dumps(text | {"account": ctx.scope.account}).encode()).decode(), expires


def read_token(token: str) -> tuple[str, str] | None:
    """The account whose registry issued the token, and its secret; None for what is not a token."""
    try:
        text = json.loads(base64.b64decode(token.encode(), validate=True))
        return str(text["account"]), str(text["payload"])
    except (ValueError, KeyError, TypeError):
        return None


def find_token(at: At, payload: str) -> dict[str, Any] | None:
    """The row of a token's secret, expired or not."""
    return TOKENS.get(at, _hash(payload))


def principal_of(row: dict[str, Any]) -> Principal:
    """Whose token it is."""
    principal = dict(row["principal"])
    return Principal(**principal | {"session_policies": tuple(principal["session_policies"])})


def _forget_expired(ctx: Context) -> None:
    """Expired tokens are kept for a day, so that their bearers are told that they expired."""
    ctx.store.execute(
        "DELETE FROM ecr_tokens WHERE account = ? AND region = ? AND json_extract(body, '$.expiresAt') < ?",
        *(*ctx.scope, ctx.now() - 24 * 3600),
    )


def _hash(payload: str) -> str:
    return hashlib.sha256(payload.encode()).hexdigest()
