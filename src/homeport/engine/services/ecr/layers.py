"""Layers: which blobs a repository holds. One file serves every repository that links it."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.tables import LAYERS
from homeport.engine.wire.errors import AwsError


def link_layer(ctx: Context, repository: str, digest: str, content: str, size: int) -> dict[str, Any]:
    """Have the repository serve the file `content` as the blob `digest`."""
    layer = {
        "repositoryName": repository,
        "layerDigest": digest,
        "content": content,
        "layerSize": size,
        "linkedAt": ctx.now(),
    }
    LAYERS.put(ctx, layer)
    return layer


def mount_layer(ctx: Context, repository: str, source: str | None, digest: str) -> dict[str, Any] | None:
    """Link a blob that another repository of this registry holds, or None when it does not.

    Whoever asks must be allowed to read `source`; that is the caller's to check.
    """
    held = LAYERS.get(ctx, source, digest) if source else None
    if held is None:
        return None
    return link_layer(ctx, repository, digest, held["content"], held["layerSize"])


def find_layer(ctx: Context, repository: str, digest: str) -> dict[str, Any]:
    """The layer's row. Raises LayersNotFoundException."""
    layer = LAYERS.get(ctx, repository, digest)
    if layer is None:
        find_repository(ctx, repository)
        raise AwsError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist in the repository with name '{repository}' in the "
            f"registry with id '{ctx.scope.account}'",
        )
    return layer


def keep_layer(ctx: Context, layer: dict[str, Any]) -> None:
    """Note that a client was told that the layer is there, so that the collector leaves it to the push that
    follows. Written at most once an hour for each layer."""
    if ctx.now() - layer["linkedAt"] > 3600:
        LAYERS.put(ctx, layer | {"linkedAt": ctx.now()})
