"""Download URLs of layers: good for an hour, for that layer alone, without further credentials."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tokens import issue_token

LIFETIME = 3600.0


def download_url(ctx: Context, layer: dict[str, Any]) -> str:
    """Where the layer can be fetched, under the name by which the caller reached the engine."""
    path = f"/v2/{layer['repositoryName']}/blobs/{layer['layerDigest']}"
    token, _ = issue_token(ctx, LIFETIME, path)
    call = ctx.call
    host = call.headers.get("host") if call else None
    scheme = "https" if call and call.headers and call.secure else "http"
    return f"{scheme}://{host or f'127.0.0.1:{ctx.engine.config.port}'}{path}?{urlencode({'token': token})}"
