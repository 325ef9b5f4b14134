"""Source ECR: takes an image tag, and tells its digest in `imageDetail.json`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
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
    output = running.output(running.action["outputArtifacts"][0]["name"])
    detail = await running.x.step("image", lambda: _detail(running))
    await running.x.step("artifact", lambda: _write(running, detail, output))
    variables = {key: detail[key] for key in ("ImageDigest", "ImageURI", "RegistryId", "RepositoryName")}
    return ActionResult(
        summary=detail["ImageURI"],
        variables=variables | {"ImageTag": detail["ImageTags"][0]},
        outputs={output.name: output.key},
        revision=Revision(detail["ImageDigest"], detail["ImageURI"]),
    )


async def _detail(running: Running) -> dict[str, Any]:
    """What `imageDetail.json` says.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#file-reference-ecs-bluegreen
    """
    name = running.configuration["RepositoryName"]
    tag = running.configuration.get("ImageTag", "latest")
    digest = running.override("IMAGE_DIGEST")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    answer = await running.client("ecr").describe_images(repositoryName=name, imageIds=[wanted])
    image = answer["imageDetails"][0]
    registry = f"{image['registryId']}.dkr.ecr.{running.region}.amazonaws.com"
    pushed = datetime.fromtimestamp(image["imagePushedAt"], UTC)
    return {
        "ImageSizeInBytes": str(image.get("imageSizeInBytes", "")),
        "ImageDigest": image["imageDigest"],
        "Version": "1.0",
        "ImagePushedAt": f"{pushed:%a %b %d %H:%M:%S UTC %Y}",
        "RegistryId": image["registryId"],
        "RepositoryName": name,
        "ImageURI": f"{registry}/{name}@{image['imageDigest']}",
        "ImageTags": [tag],
    }


async def _write(running: Running, detail: dict[str, Any], output: Artifact) -> None:
    with running.folder() as folder:
        file = folder / "source.zip"
        with zipfile.ZipFile(file, "w") as target:
            target.writestr("imageDetail.json", json.dumps(detail))
        await running.upload(output, file)


PROVIDER = ActionProvider(
    type=ActionTypeId("Source", "AWS", "ECR"),
    inputs=(0, 0),
    outputs=(1, 1),
    properties=(Property("RepositoryName", True), Property("ImageTag", default="latest")),
    run=_run,
)
