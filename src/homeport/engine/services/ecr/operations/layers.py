"""Layers through the API: what docker does over the registry, in calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.download import download_url
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.layers import find_layer, keep_layer
from homeport.engine.services.ecr.names import is_digest
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.storage import layer_files
from homeport.engine.services.ecr.tables import LAYERS
from homeport.engine.services.ecr.uploads import append_to_upload, begin_upload, complete_upload, upload_size
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
PART_SIZE = 10 * 1024 * 1024


@operation
async def batch_check_layer_availability(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    layers, failures = [], []
    for digest in request["layerDigests"]:
        layer = LAYERS.get(ctx, name, digest)
        if not is_digest(digest):
            reason = f"Invalid layer digest '{digest}'"
            failures.append(
                {"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason}
            )
        elif layer is None:
            layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
        else:
            keep_layer(ctx, layer)
            layers.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": "AVAILABLE",
                    "layerSize": layer["layerSize"],
                    "mediaType": "application/octet-stream",
                }
            )
    return {"layers": layers, "failures": failures}


@operation
async def get_download_url_for_layer(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    layer = find_layer(ctx, name, request["layerDigest"])
    return {"downloadUrl": download_url(ctx, layer), "layerDigest": layer["layerDigest"]}


@operation
async def initiate_layer_upload(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    return {"uploadId": begin_upload(ctx, layer_files(ctx.engine), name), "partSize": PART_SIZE}


@operation
async def upload_layer_part(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html"""
    ctx, name, upload_id = registry_of(ctx, request), request["repositoryName"], request["uploadId"]
    first, last, blob = request["partFirstByte"], request["partLastByte"], request["layerPartBlob"]
    if last - first + 1 != len(blob):
        raise AwsError(
            "InvalidLayerPartException",
            f"The part has {len(blob)} bytes, but partFirstByte and partLastByte say {last - first + 1}",
            registryId=ctx.scope.account,
            repositoryName=name,
            uploadId=upload_id,
        )
    files = layer_files(ctx.engine)
    size = await append_to_upload(ctx, files, name, upload_id, _once(blob), first)
    return {
        "registryId": ctx.scope.account,
        "repositoryName": name,
        "uploadId": upload_id,
        "lastByteReceived": size - 1,
    }


@operation
async def complete_layer_upload(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html"""
    ctx, name, upload_id = registry_of(ctx, request), request["repositoryName"], request["uploadId"]
    files = layer_files(ctx.engine)
    if upload_size(ctx, files, name, upload_id) == 0:
        raise AwsError("EmptyUploadException", "No part of the layer was uploaded")
    digest = request["layerDigests"][0]
    if LAYERS.get(ctx, name, digest):
        raise AwsError(
            "LayerAlreadyExistsException",
            f"Layer with digest '{digest}' already exists in the repository with name '{name}' in registry with "
            f"id '{ctx.scope.account}'",
        )
    await complete_upload(ctx, files, name, upload_id, digest)
    return {
        "registryId": ctx.scope.account,
        "repositoryName": name,
        "uploadId": upload_id,
        "layerDigest": digest,
    }


async def _once(blob: bytes) -> AsyncIterator[bytes]:
    yield blob
