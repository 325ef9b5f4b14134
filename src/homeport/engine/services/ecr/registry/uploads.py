"""Blob uploads: monolithic, in chunks, resumed, cancelled, or saved by a mount from another repository."""

from __future__ import annotations

from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.layers import mount_layer
from homeport.engine.services.ecr.registry.call import Call, checked_digest
from homeport.engine.services.ecr.registry.errors import RegistryError
from homeport.engine.services.ecr.settings import account_setting
from homeport.engine.services.ecr.tables import LAYERS, REPOSITORIES
from homeport.engine.services.ecr.templates import ensure_repository, find_template
from homeport.engine.services.ecr.uploads import (
    append_to_upload,
    begin_upload,
    cancel_upload,
    complete_upload,
    upload_size,
)
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Response


async def post_upload(call: Call) -> Response:
    """Begin an upload; with `digest` the body is the whole blob, with `mount` another repository may have it."""
    await call.allow("InitiateLayerUpload")
    await _repository(call)
    if digest := call.request.parameter("mount"):
        if await _mount(call, checked_digest(digest)):
            return _created(call, digest)
    elif digest := call.request.parameter("digest"):
        checked_digest(digest)
        await call.allow("UploadLayerPart")
        await call.allow("CompleteLayerUpload")
        return await _whole(call, digest)
    upload_id = begin_upload(call.ctx, call.files, call.repository)
    return _progress(call, 202, upload_id, 0)


async def get_upload(call: Call, upload_id: str) -> Response:
    """Tell how far the upload came."""
    await call.allow("UploadLayerPart")
    size = upload_size(call.ctx, call.files, call.repository, upload_id)
    return _progress(call, 204, upload_id, size)


async def patch_upload(call: Call, upload_id: str) -> Response:
    """Add a chunk."""
    await call.allow("UploadLayerPart")
    size = await _append(call, upload_id)
    return _progress(call, 202, upload_id, size)


async def put_upload(call: Call, upload_id: str) -> Response:
    """Complete the upload, with its last chunk if there is one."""
    await call.allow("CompleteLayerUpload")
    digest = checked_digest(call.request.parameter("digest") or "")
    await _append(call, upload_id)
    await complete_upload(call.ctx, call.files, call.repository, upload_id, digest)
    return _created(call, digest)


async def delete_upload(call: Call, upload_id: str) -> Response:
    """Cancel the upload."""
    await call.allow("UploadLayerPart")
    upload_size(call.ctx, call.files, call.repository, upload_id)
    cancel_upload(call.ctx, call.files, call.repository, upload_id)
    return Response(204)


async def _repository(call: Call) -> None:
    """The repository must exist, or a template must let a push create it."""
    if REPOSITORIES.get(call.ctx, call.repository) is None:
        if find_template(call.ctx, call.repository, "CREATE_ON_PUSH") is None:
            find_repository(call.ctx, call.repository)
        await call.allow("CreateRepository")
        ensure_repository(call.ctx, call.repository, "CREATE_ON_PUSH")


async def _mount(call: Call, digest: str) -> bool:
    """Link the blob from `from`, or from any repository that holds it; not from one the caller may not read."""
    if account_setting(call.ctx, "BLOB_MOUNTING") != "ENABLED":
        return False
    named = call.request.parameter("from")
    for source in [named] if named else _holders(call, digest):
        try:
            await call.allow("GetDownloadUrlForLayer", source)
        except AwsError:
            continue
        if mount_layer(call.ctx, call.repository, source, digest):
            return True
    return False


def _holders(call: Call, digest: str) -> list[str]:
    return [layer["repositoryName"] for layer in LAYERS.list(call.ctx, layerDigest=digest)]


async def _whole(call: Call, digest: str) -> Response:
    upload_id = begin_upload(call.ctx, call.files, call.repository)
    try:
        await _append(call, upload_id)
        await complete_upload(call.ctx, call.files, call.repository, upload_id, digest)
    except BaseException:
        cancel_upload(call.ctx, call.files, call.repository, upload_id)
        raise
    return _created(call, digest)


async def _append(call: Call, upload_id: str) -> int:
    first = call.content_range()
    try:
        return await append_to_upload(
            call.ctx, call.files, call.repository, upload_id, call.request.stream(), first
        )
    except AwsError as error:
        if error.code != "InvalidLayerPartException":
            raise
        last = error.members["lastValidByteReceived"]
        headers = {"location": call.url(f"blobs/uploads/{upload_id}"), "range": f"0-{last}"}
        raise RegistryError("BLOB_UPLOAD_INVALID", error.message, 416, headers=headers) from None


def _progress(call: Call, status: int, upload_id: str, size: int) -> Response:
    headers = {
        "location": call.url(f"blobs/uploads/{upload_id}"),
        "range": f"0-{max(size - 1, 0)}",
        "docker-upload-uuid": upload_id,
    }
    return Response(status, headers)


def _created(call: Call, digest: str) -> Response:
    return Response(201, {"location": call.url(f"blobs/{digest}"), "docker-content-digest": digest})
