"""Referrers: the signatures, attestations and other artifacts whose subject is an image."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.manifests import OCI_INDEX
from homeport.engine.services.ecr.registry.call import Call, checked_digest
from homeport.engine.services.ecr.tables import IMAGES
from homeport.engine.wire.http import Response


async def list_referrers(call: Call, digest: str) -> Response:
    """An index of the manifests whose subject is `digest`; with `artifactType` only those of that type."""
    await call.allow("BatchGetImage")
    find_repository(call.ctx, call.repository)
    images = IMAGES.list(call.ctx, call.repository, subject=checked_digest(digest))
    headers = {"content-type": OCI_INDEX}
    if wanted := call.request.parameter("artifactType"):
        headers["oci-filters-applied"] = "artifactType"
        images = [image for image in images if image["artifactType"] == wanted]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [_descriptor(image) for image in images],
    }
    return Response(200, headers, json.dumps(index).encode())


def _descriptor(image: dict[str, Any]) -> dict[str, Any]:
    descriptor = {
        "mediaType": image["imageManifestMediaType"],
        "digest": image["imageDigest"],
        "size": image["manifestSize"],
    }
    if image["artifactType"]:
        descriptor["artifactType"] = image["artifactType"]
    if image["annotations"]:
        descriptor["annotations"] = image["annotations"]
    return descriptor
