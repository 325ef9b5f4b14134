"""Source ECR: takes an image tag, and tells its digest in `imageDetail.json`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

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
    variables = await running.x.step("image", lambda: _image(running))
    await running.x.step("artifact", lambda: _write(running, variables, output))
    return ActionResult(
        summary=variables["ImageURI"],
        variables=variables,
        outputs={output.name: output.key},
        revision=Revision(variables["ImageDigest"], variables["ImageURI"]),
    )


async def _image(running: Running) -> dict[str, str]:
    name = running.configuration["RepositoryName"]
    tag = running.configuration.get("ImageTag", "latest")
    digest = running.override("IMAGE_DIGEST")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    ecr = running.client("ecr")
    answer = await ecr.describe_images(repositoryName=name, imageIds=[wanted])
    image = answer["imageDetails"][0]
    registry = f"{image['registryId']}.dkr.ecr.{running.region}.amazonaws.com"
    return {
        "ImageDigest": image["imageDigest"],
        "ImageTag": tag,
        "ImageURI": f"{registry}/{name}@{image['imageDigest']}",
        "RegistryId": image["registryId"],
        "RepositoryName": name,
    }


async def _write(running: Running, image: dict[str, str], output: Artifact) -> None:
    detail = {
        "ImageSizeInBytes": "",
        "ImageDigest": image["ImageDigest"],
        "Version": "1.0",
        "ImagePushedAt": "",
        "RegistryId": image["RegistryId"],
        "RepositoryName": image["RepositoryName"],
        "ImageURI": image["ImageURI"],
        "ImageTags": [image["ImageTag"]],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "source.zip"
        with zipfile.ZipFile(file, "w") as target:
            target.writestr("imageDetail.json", json.dumps({k: v for k, v in detail.items() if v}))
        await running.upload(output, file)


PROVIDER = ActionProvider(
    type=ActionTypeId("Source", "AWS", "ECR"),
    inputs=(0, 0),
    outputs=(1, 1),
    properties=(Property("RepositoryName", True), Property("ImageTag", default="latest")),
    run=_run,
)
