"""Uploads of layers: begun, appended to in order, completed under a verified digest, or cancelled.

The OCI distribution API and ECR's own (InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload) share them.
An upload survives a restart: its row says that it exists, the length of its file how far it came.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.files import LayerFiles
from homeport.engine.services.ecr.layers import link_layer
from homeport.engine.services.ecr.names import is_digest
from homeport.engine.services.ecr.tables import UPLOADS
from homeport.engine.wire.errors import AwsError


def begin_upload(ctx: Context, files: LayerFiles, repository: str) -> str:
    """Open an upload and return its id."""
    upload_id = str(uuid.uuid4())
    files.begin(upload_id)
    UPLOADS.put(ctx, {"repositoryName": repository, "uploadId": upload_id, "startedAt": ctx.now()})
    return upload_id


def find_upload(ctx: Context, files: LayerFiles, repository: str, upload_id: str) -> dict[str, Any]:
    """The upload's row with its `size`. Raises UploadNotFoundException."""
    row = UPLOADS.get(ctx, repository, upload_id)
    try:
        if row is not None:
            return row | {"size": files.size(upload_id)}
    except FileNotFoundError:
        UPLOADS.delete(ctx, repository, upload_id)
    raise AwsError(
        "UploadNotFoundException",
        f"The upload with id '{upload_id}' does not exist in the repository with name '{repository}' in the "
        f"registry with id '{ctx.scope.account}'",
    )


async def append_to_upload(
    ctx: Context,
    files: LayerFiles,
    repository: str,
    upload_id: str,
    chunks: AsyncIterator[bytes],
    first: int | None = None,
) -> int:
    """Add bytes, which `first` says begin at that offset; returns the upload's new size.

    Raises InvalidLayerPartException when they do not begin where the upload ends.
    """
    async with files.alone(upload_id):
        upload = find_upload(ctx, files, repository, upload_id)
        if first is not None and first != upload["size"]:
            raise AwsError(
                "InvalidLayerPartException",
                f"The part begins at byte {first}, but {upload['size']} bytes of the upload have arrived",
                registryId=ctx.scope.account,
                repositoryName=repository,
                uploadId=upload_id,
                lastValidByteReceived=max(upload["size"] - 1, 0),
            )
        return await files.append(upload_id, chunks)


async def complete_upload(
    ctx: Context, files: LayerFiles, repository: str, upload_id: str, digest: str
) -> dict[str, Any]:
    """Verify the upload and make it a layer of the repository. Raises InvalidLayerException for bytes of another
    digest; they are thrown away."""
    async with files.alone(upload_id):
        upload = find_upload(ctx, files, repository, upload_id)
        actual = await files.digest(upload_id, digest.partition(":")[0]) if is_digest(digest) else None
        if actual != digest:
            cancel_upload(ctx, files, repository, upload_id)
            found = (
                f"the layer's bytes have the digest {actual}"
                if actual
                else "it is no sha256 or sha512 digest"
            )
            raise AwsError("InvalidLayerException", f"The provided digest '{digest}' is wrong: {found}")
        content = digest if digest.startswith("sha256:") else await files.digest(upload_id, "sha256")
        await files.sync(upload_id)
        find_upload(ctx, files, repository, upload_id)
        files.adopt(upload_id, content)
        ctx.engine.failpoints.hit("ecr.layer-adopted")
        with ctx.store.transaction():
            layer = link_layer(ctx, repository, digest, content, upload["size"])
            UPLOADS.delete(ctx, repository, upload_id)
        return layer


def cancel_upload(ctx: Context, files: LayerFiles, repository: str, upload_id: str) -> None:
    """Forget the upload and its bytes."""
    UPLOADS.delete(ctx, repository, upload_id)
    files.abandon(upload_id)
