"""Build ECRBuildAndPublish: builds a Docker image from the input artifact and pushes it to ECR.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECRBuildAndPublish.html
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)
from homeport.engine.services.codepipeline.actions.managed_build import run_build

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

VARIABLES = ["ECRImageDigestId", "ECRRepositoryName"]


async def _run(running: Running) -> ActionResult:
    configuration = running.configuration
    if configuration.get("RegistryType", "private") != "private":
        raise ActionFailed(
            "RegistryType public is not supported: use a private repository", "ConfigurationError"
        )
    registry = f"{running.ctx.account}.dkr.ecr.{running.region}.amazonaws.com"
    spec = buildspec(
        registry,
        running.region,
        configuration["ECRRepositoryName"],
        [tag.strip() for tag in configuration.get("ImageTags", "latest").split(",") if tag.strip()],
        configuration.get("DockerFilePath", "."),
    )
    variables = await run_build(running, spec, privileged=True)
    return ActionResult(
        summary=f"Pushed {configuration['ECRRepositoryName']}@{variables.get('ECRImageDigestId', '')}",
        variables=variables,
    )


def buildspec(registry: str, region: str, repository: str, tags: list[str], path: str) -> dict[str, Any]:
    """What the action runs: log in, build, push each tag, tell the digest."""
    folder = path.removesuffix("Dockerfile").rstrip("/") or "."
    image = f"{registry}/{repository}"
    names = [shlex.quote(f"{image}:{tag}") for tag in tags]
    built = " ".join(f"-t {name}" for name in names)
    digest = f"docker inspect --format '{{{{index .RepoDigests 0}}}}' {names[0]} | cut -d@ -f2"
    return {
        "version": 0.2,
        "env": {"exported-variables": VARIABLES},
        "phases": {
            "pre_build": {
                "commands": [
                    f"aws ecr get-login-password --region {region} | "
                    f"docker login --username AWS --password-stdin {registry}"
                ]
            },
            "build": {"commands": [f"docker build {built} {shlex.quote(folder)}"]},
            "post_build": {
                "commands": [
                    *(f"docker push {name}" for name in names),
                    f"export ECRImageDigestId=$({digest})",
                    f"export ECRRepositoryName={shlex.quote(repository)}",
                ]
            },
        },
    }


PROVIDER = ActionProvider(
    type=ActionTypeId("Build", "AWS", "ECRBuildAndPublish"),
    inputs=(1, 1),
    outputs=(0, 0),
    properties=(
        Property("ECRRepositoryName", True),
        Property("DockerFilePath"),
        Property("ImageTags"),
        Property("RegistryType", default="private"),
    ),
    run=_run,
    timeout=HOUR,
    v2_only=True,
)
