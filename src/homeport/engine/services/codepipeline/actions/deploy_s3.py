"""Deploy S3: puts the input artifact, or what is in it, into a bucket.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
"""

from __future__ import annotations

import asyncio
import mimetypes
import uuid
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    MINUTE,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)
from homeport.engine.services.codepipeline.artifacts import read_file

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    count = await running.x.step("deploy", lambda: _deploy(running))
    return ActionResult(summary=f"Deployment Succeeded: {count} object(s)")


async def _deploy(running: Running) -> int:
    configuration, artifact = running.configuration, running.inputs[0]
    key = _dated(running, configuration.get("ObjectKey", ""))
    with running.folder() as folder:
        file = await running.download(artifact, folder)
        if configuration["Extract"].lower() != "true":
            if not key:
                raise ActionFailed("ObjectKey is required when Extract is false", code="ConfigurationError")
            await _put(running, key, file)
            return 1
        prefix = f"{key.strip('/')}/" if key else ""
        try:
            members = await asyncio.to_thread(_unpack, file, folder / "tree")
        except zipfile.BadZipFile:
            raise ActionFailed(f"The artifact {artifact.name} is not a zip file") from None
        for name, path in members:
            await _put(running, prefix + name, path)
        return len(members)


def _dated(running: Running, key: str) -> str:
    """The object key with `{datetime}` and `{uuid}` replaced.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-s3deploy.html
    """
    moment = datetime.fromtimestamp(running.row["startTime"], UTC).strftime("%Y-%m-%d_%H-%M-%S")
    return key.replace("{datetime}", moment).replace("{uuid}", str(uuid.UUID(running.x.token("uuid"))))


def _unpack(file: Path, folder: Path) -> list[tuple[str, Path]]:
    """The names in a zip file, and where the files are now: inside of the folder, whatever the names say."""
    with zipfile.ZipFile(file) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        return [(one.filename, Path(archive.extract(one, folder))) for one in members]


async def _put(running: Running, key: str, file: Path) -> None:
    configuration = running.configuration
    options: dict[str, Any] = {
        "ACL": configuration.get("CannedACL"),
        "CacheControl": configuration.get("CacheControl"),
        "ContentType": mimetypes.guess_type(key)[0] or "application/octet-stream",
    }
    if kms := configuration.get("KMSEncryptionKeyARN"):
        options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms}
    await running.client("s3").put_object(
        Bucket=configuration["BucketName"],
        Key=key,
        Body=read_file(file),
        ContentLength=file.stat().st_size,
        **options,
    )


PROVIDER = ActionProvider(
    type=ActionTypeId("Deploy", "AWS", "S3"),
    inputs=(1, 1),
    outputs=(0, 0),
    properties=(
        Property("BucketName", True),
        Property("Extract", True),
        Property("ObjectKey"),
        Property("KMSEncryptionKeyARN"),
        Property("CannedACL"),
        Property("CacheControl"),
    ),
    run=_run,
    timeout=90 * MINUTE,
)
