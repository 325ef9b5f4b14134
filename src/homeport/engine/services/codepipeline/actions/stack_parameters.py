"""Parameters of the CloudFormation action, and the artifact files that it names as `Artifact::path`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import artifacts
from homeport.engine.services.codepipeline.actions.contract import ActionFailed

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


class ArtifactFiles:
    """Files of the action's input artifacts; each artifact is downloaded once, into a folder of the caller's."""

    def __init__(self, running: Running, folder: Path) -> None:
        self._running = running
        self._folder = folder
        self._zips: dict[str, Path] = {}

    async def text(self, reference: str) -> str:
        """The file that `Artifact::path` names, as text. Raises ActionFailed."""
        name, separator, path = reference.partition("::")
        if not separator:
            raise ActionFailed(
                f"'{reference}' must have the form InputArtifactName::path", code="ConfigurationError"
            )
        content = await self.member(name, path)
        if content is None:
            raise ActionFailed(
                f"File [{path}] does not exist in artifact [{name}]", code="ConfigurationError"
            )
        return content.decode()

    async def member(self, artifact_name: str, path: str) -> bytes | None:
        """One file of an input artifact; None when it is not there."""
        if artifact_name not in [one["name"] for one in self._running.action["inputArtifacts"]]:
            raise ActionFailed(
                f"'{artifact_name}' is not an input artifact of the action", code="ConfigurationError"
            )
        if artifact_name not in self._zips:
            artifact = self._running.input(artifact_name)
            self._zips[artifact_name] = await self._running.download(artifact, self._folder)
        return await artifacts.member(self._zips[artifact_name], path)

    def attribute(self, artifact_name: str, attribute: str) -> str:
        """Fn::GetArtifactAtt: BucketName, ObjectKey or URL of an artifact."""
        artifact = self._running.input(artifact_name)
        known = {
            "BucketName": artifact.bucket,
            "ObjectKey": artifact.key,
            "URL": f"https://{artifact.bucket}.s3.{self._running.region}.amazonaws.com/{artifact.key}",
        }
        if attribute not in known:
            raise ActionFailed(
                f"Fn::GetArtifactAtt knows {', '.join(known)}, not '{attribute}'", code="ConfigurationError"
            )
        return known[attribute]


async def parameters(given: Mapping[str, Any], files: ArtifactFiles) -> dict[str, str]:
    """Parameter values with Fn::GetArtifactAtt and Fn::GetParam resolved. Raises ActionFailed."""
    return {name: await _value(name, value, files) for name, value in given.items()}


async def _value(name: str, value: Any, files: ArtifactFiles) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        function, arguments = next(iter(value.items()))
        if function == "Fn::GetArtifactAtt" and len(arguments) == 2:
            return files.attribute(*arguments)
        if function == "Fn::GetParam" and len(arguments) == 3:
            artifact, path, key = arguments
            content = json.loads(await files.text(f"{artifact}::{path}"))
            if key not in content:
                raise ActionFailed(f"Key [{key}] does not exist in file [{path}]", code="ConfigurationError")
            return str(content[key])
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    if isinstance(value, int | float | bool):
        return json.dumps(value)
    raise ActionFailed(f"The value of the parameter {name} cannot be read", code="ConfigurationError")
