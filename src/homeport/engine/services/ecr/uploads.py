"""Uploads of layers: begun, appended to in order, completed under a verified digest, or cancelled.

The OCI distribution API and ECR's own (InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload) share them.
An upload survives a restart: its file is all there is of it, and the file's length says how far it came.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.files import LayerFiles
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.layers import link_layer
from homeport.engine.services.ecr.names import is_digest
from homeport.engine.wire.errors import AwsError

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def begin_upload(ctx: Context, files: LayerFiles, repository: str) -> str:
    """Open an upload and return its id."""
    upload_id = str(uuid.uuid4())
    files.begin(_file(ctx, repository, upload_id))
    return upload_id


def upload_size(ctx: Context, files: LayerFiles, repository: str, upload_id: str) -> int:
    """How many bytes of the upload have arrived. Raises UploadNotFoundException."""
    try:
        if _ID.fullmatch(upload_id):
            return files.size(_file(ctx, repository, upload_id))
    except FileNotFoundError:
        pass
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
    file = _file(ctx, repository, upload_id)
    async with files.alone(file):
        size = upload_size(ctx, files, repository, upload_id)
        if first is not None and first != size:
            raise AwsError(
                "InvalidLayerPartException",
                f"The part begins at byte {first}, but {size} bytes of the upload have arrived",
                registryId=ctx.scope.account,
                repositoryName=repository,
                uploadId=upload_id,
                lastValidByteReceived=max(size - 1, 0),
            )
        return await files.append(file, chunks)


async def complete_upload(
    ctx: Context, files: LayerFiles, repository: str, upload_id: str, digest: str
) -> dict[str, Any]:
    """Verify the upload and make it a layer of the repository. Raises InvalidLayerException for bytes of another
    digest; they are thrown away."""
    file = _file(ctx, repository, upload_id)
    async with files.alone(file):
        size = upload_size(ctx, files, repository, upload_id)
        actual = await files.digest(file, digest.partition(":")[0]) if is_digest(digest) else None
        if actual != digest:
            files.abandon(file)
            found = (
                f"the layer's bytes have the digest {actual}"
                if actual
                else "it is no sha256 or sha512 digest"
            )
            raise AwsError("InvalidLayerException", f"The provided digest '{digest}' is wrong: {found}")
        content = digest if digest.startswith("sha256:") else await files.digest(file, "sha256")
        async with files.adopted(file, content):
            ctx.engine.failpoints.hit("ecr.layer-adopted")
            find_repository(ctx, repository)
            return link_layer(ctx, repository, digest, content, size)


def cancel_upload(ctx: Context, files: LayerFiles, repository: str, upload_id: str) -> None:
    """Forget the upload and its bytes."""
    files.abandon(_file(ctx, repository, upload_id))


def _file(ctx: Context, repository: str, upload_id: str) -> str:
    """The name of the upload's file, by which no other repository finds it."""
    owner = hashlib.sha256("/".join((*ctx.scope, repository)).encode()).hexdigest()
    return f"{upload_id}-{owner[:16]}"
