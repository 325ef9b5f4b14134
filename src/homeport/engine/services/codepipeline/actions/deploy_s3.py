"""Deploy S3: puts the input artifact, or what is in it, into a bucket.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
"""

from __future__ import annotations

import mimetypes
import tempfile
import zipfile
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
    key = configuration.get("ObjectKey", "")
    with tempfile.TemporaryDirectory() as folder:
        file = await running.download(artifact, Path(folder))
        if configuration["Extract"].lower() != "true":
            if not key:
                raise ActionFailed("ObjectKey is required when Extract is false", code="ConfigurationError")
            await _put(running, key, file)
            return 1
        prefix = f"{key.strip('/')}/" if key else ""
        try:
            with zipfile.ZipFile(file) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
                for one in members:
                    archive.extract(one, Path(folder) / "tree")
        except zipfile.BadZipFile:
            raise ActionFailed(f"The artifact {artifact.name} is not a zip file") from None
        for one in members:
            await _put(running, prefix + one.filename, Path(folder) / "tree" / one.filename)
        return len(members)


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
