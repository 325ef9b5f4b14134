"""Source S3: takes one object, the newest version unless an override names another.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
    Revision,
)
from homeport.engine.services.codepipeline.artifacts import Artifact

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    bucket = running.configuration["S3Bucket"]
    key = running.override("S3_OBJECT_KEY") or running.configuration["S3ObjectKey"]
    output = running.output(running.action["outputArtifacts"][0]["name"])
    found = await running.x.step("copy", lambda: _copy(running, bucket, key, output))
    return ActionResult(
        summary=f"Amazon S3 version id: {found['VersionId']}",
        variables=found,
        outputs={output.name: output.key},
        revision=Revision(found["VersionId"], summary=f"Amazon S3 version id: {found['VersionId']}"),
    )


async def _copy(running: Running, bucket: str, key: str, output: Artifact) -> dict[str, str]:
    s3 = running.client("s3")
    versioning = await s3.get_bucket_versioning(Bucket=bucket)
    if versioning.get("Status") != "Enabled":
        raise ActionFailed(
            f"The Amazon S3 bucket {bucket} is not versioned: enable versioning on it",
            code="ConfigurationError",
        )
    version = running.override("S3_OBJECT_VERSION_ID")
    answer: dict[str, Any] = await s3.get_object(Bucket=bucket, Key=key, VersionId=version)
    with running.folder() as folder:
        file = folder / "source.zip"
        with file.open("wb") as target:
            body = answer["Body"]
            if isinstance(body, bytes):
                target.write(body)
            else:
                async for chunk in body:
                    target.write(chunk)
        await running.upload(output, file)
    return {
        "BucketName": bucket,
        "ETag": answer["ETag"].strip('"'),
        "ObjectKey": key,
        "VersionId": answer.get("VersionId", "null"),
    }


PROVIDER = ActionProvider(
    type=ActionTypeId("Source", "AWS", "S3"),
    inputs=(0, 0),
    outputs=(1, 1),
    properties=(
        Property("S3Bucket", True),
        Property("S3ObjectKey", True),
        Property("PollForSourceChanges", default="true"),
        Property("AllowOverrideForS3ObjectKey", default="false"),
    ),
    run=_run,
)
