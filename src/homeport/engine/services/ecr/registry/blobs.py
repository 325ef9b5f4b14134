"""Blobs: layers and configs, whole or by range."""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.ecr.layers import find_layer, keep_layer
from homeport.engine.services.ecr.pull_through import wait_for_layer
from homeport.engine.services.ecr.registry.call import Call, checked_digest
from homeport.engine.services.ecr.registry.errors import RegistryError
from homeport.engine.services.ecr.tables import IMAGES, LAYERS
from homeport.engine.wire.http import Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def head_blob(call: Call, digest: str) -> Response:
    """Tell whether the repository holds the blob, and its size."""
    await call.allow("BatchCheckLayerAvailability")
    await wait_for_layer(call.ctx, call.repository, checked_digest(digest))
    layer = find_layer(call.ctx, call.repository, digest)
    keep_layer(call.ctx, layer)
    return Response(200, _headers(layer) | {"content-length": str(layer["layerSize"])})


async def get_blob(call: Call, digest: str) -> Response:
    """Send the blob, or the one range of it that was asked for."""
    await call.allow("GetDownloadUrlForLayer")
    await wait_for_layer(call.ctx, call.repository, checked_digest(digest))
    layer = find_layer(call.ctx, call.repository, digest)
    size: int = layer["layerSize"]
    first, end = _range(call.request.headers.get("range"), size)
    headers = _headers(layer) | {"content-length": str(end - first)}
    status = 200
    if (first, end) != (0, size):
        status, headers["content-range"] = 206, f"bytes {first}-{end - 1}/{size}"
    return Response(status, headers, call.files.blobs.read(layer["content"], first, end))


async def delete_blob(call: Call, digest: str) -> Response:
    """Take the blob out of the repository, unless one of its images needs it."""
    await call.allow("BatchDeleteImage")
    layer = find_layer(call.ctx, call.repository, checked_digest(digest))
    users = [image for image in IMAGES.list(call.ctx, call.repository) if digest in image["layers"]]
    if users:
        raise RegistryError(
            "UNSUPPORTED",
            f"The layer is needed by the image {users[0]['imageDigest']}: delete that first",
            405,
        )
    LAYERS.delete(call.ctx, call.repository, layer["layerDigest"])
    return Response(202)


def _headers(layer: dict[str, Any]) -> dict[str, str]:
    return {
        "content-type": "application/octet-stream",
        "docker-content-digest": layer["layerDigest"],
        "accept-ranges": "bytes",
        "etag": f'"{layer["layerDigest"]}"',
    }


def _range(header: str | None, size: int) -> tuple[int, int]:
    """The first byte and the one after the last. What is not one range of bytes asks for everything (RFC 9110)."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return 0, size
    if match[1]:
        first, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    else:
        first, end = max(size - int(match[2]), 0), size
    if first >= end:
        raise RegistryError(
            "SIZE_INVALID",
            f"The blob has no bytes {header}",
            416,
            headers={"content-range": f"bytes */{size}"},
        )
    return first, end
