"""Build and Test CodeBuild: runs a build, or a batch, of a project on the input artifacts.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)
from homeport.engine.services.codepipeline.artifacts import Artifact
from homeport.engine.services.context import Client
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    batch = running.configuration.get("BatchEnabled", "false").lower() == "true"
    build_id = await running.x.step("start", lambda: _start(running, batch))
    await running.external(build_id, _url(running, build_id, batch))
    client = running.client("codebuild")
    build = await running.until(
        lambda: ended(running, client, build_id, batch), [f"codebuild.build:{build_id}"], 1.0
    )
    if build["status"] != "SUCCEEDED":
        raise ActionFailed(why(build), summary=f"Build terminated with state: {build['status']}")
    return ActionResult(
        summary="Build succeeded",
        variables=build["variables"],
        outputs={name: running.output(name).key for name in _output_names(running)},
    )


async def _start(running: Running, batch: bool) -> str:
    request = build_request(running, running.configuration["ProjectName"])
    codebuild = running.client("codebuild")
    combined = running.configuration.get("CombineArtifacts", "false").lower() == "true"
    config = {"combineArtifacts": True} if combined else None
    try:
        if batch:
            answer = await codebuild.start_build_batch(**request, buildBatchConfigOverride=config)
            return answer["buildBatch"]["id"]
        return (await codebuild.start_build(**request))["build"]["id"]
    except AwsError as error:
        operation = "startBuildBatch" if batch else "startBuild"
        raise AwsError(error.code, f"Error calling {operation}: {error.message}", error.status) from None


def build_request(running: Running, project: str) -> dict[str, Any]:
    """The StartBuild request: artifacts are S3 locations `bucket/key`, read and written as the project's role."""
    request: dict[str, Any] = {
        "projectName": project,
        "idempotencyToken": running.x.token("build"),
        "environmentVariablesOverride": _environment(running),
        "buildspecOverride": running.configuration.get("BuildspecOverride"),
        **_sources(running, _ordered_inputs(running)),
    }
    outputs = [running.output(name) for name in _output_names(running)]
    if len(outputs) == 1:
        request["artifactsOverride"] = _target(outputs[0])
    elif outputs:
        request["artifactsOverride"] = {"type": "NO_ARTIFACTS"}
        request["secondaryArtifactsOverride"] = [
            {**_target(one), "artifactIdentifier": one.name} for one in outputs
        ]
    else:
        request["artifactsOverride"] = {"type": "NO_ARTIFACTS"}
    return request


def _sources(running: Running, inputs: list[Artifact]) -> dict[str, Any]:
    if not inputs:
        return {"sourceTypeOverride": "NO_SOURCE"}
    primary, *others = inputs
    return {
        "sourceTypeOverride": "CODEPIPELINE",
        "sourceLocationOverride": f"{primary.bucket}/{primary.key}",
        "sourceVersion": _commit(running, primary) or primary.arn,
        "secondarySourcesOverride": [
            {"type": "CODEPIPELINE", "location": f"{one.bucket}/{one.key}", "sourceIdentifier": one.name}
            for one in others
        ]
        or None,
    }


def _ordered_inputs(running: Running) -> list[Artifact]:
    inputs = running.inputs
    if len(inputs) < 2 or running.action.get("commands"):
        return inputs
    name = running.configuration.get("PrimarySource")
    if name not in [one.name for one in inputs]:
        raise ActionFailed(
            "PrimarySource must name one of the input artifacts when there is more than one",
            code="ConfigurationError",
        )
    return sorted(inputs, key=lambda one: one.name != name)


def _target(output: Artifact) -> dict[str, Any]:
    return {"type": "CODEPIPELINE", "location": output.bucket, "name": output.key, "packaging": "ZIP"}


def _output_names(running: Running) -> list[str]:
    return [one["name"] for one in running.action.get("outputArtifacts", ())]


def _commit(running: Running, source: Artifact) -> str | None:
    """The revision of the source action that wrote the artifact: CODEBUILD_RESOLVED_SOURCE_VERSION."""
    revisions = running.execution["revisions"]
    written = [one["revisionId"] for one in revisions if one["name"] == source.name]
    return written[0] if written else None


def _environment(running: Running) -> list[dict[str, str]]:
    given = running.json("EnvironmentVariables") or []
    if not isinstance(given, list) or not all(_is_variable(one) for one in given):
        raise ActionFailed(
            "EnvironmentVariables must be a JSON array of objects with the texts name, value and, if need be, type",
            code="ConfigurationError",
        )
    variables = [{"type": "PLAINTEXT", **one} for one in given]
    own = {"name": "CODEBUILD_INITIATOR", "value": f"codepipeline/{running.row['pipelineName']}"}
    return [*variables, {**own, "type": "PLAINTEXT"}]


def _is_variable(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and {"name", "value"} <= set(one) <= {"name", "value", "type"}
        and all(isinstance(text, str) for text in one.values())
    )


async def ended(running: Running, codebuild: Client, build_id: str, batch: bool) -> dict[str, Any] | None:
    """How the build ended; None while it runs."""
    if batch:
        answer = await codebuild.batch_get_build_batches(ids=[build_id])
        found = answer.get("buildBatches", [])
        status = found[0].get("buildBatchStatus") if found else None
    else:
        answer = await codebuild.batch_get_builds(ids=[build_id])
        found = answer.get("builds", [])
        status = found[0].get("buildStatus") if found else None
    if status is None:
        raise ActionFailed(f"The build {build_id} does not exist any more")
    if logs := found[0].get("logs") or found[0].get("logConfig"):
        running.note(
            logStreamARN=logs.get("cloudWatchLogsArn"), externalExecutionUrl=logs.get("deepLink", "")
        )
    if status == "IN_PROGRESS":
        return None
    exported = {one["name"]: one["value"] for one in found[0].get("exportedEnvironmentVariables", ())}
    return {"status": status, "variables": exported, "reason": _phase_reason(found[0])}


def _phase_reason(build: dict[str, Any]) -> str:
    """What the first failed phase said."""
    for phase in build.get("phases", ()):
        if phase.get("phaseStatus") not in (None, "SUCCEEDED", "IN_PROGRESS"):
            context = next(
                (one.get("message", "") for one in phase.get("contexts", ()) if one.get("message")), ""
            )
            return f"{phase['phaseType']}: {context or phase['phaseStatus']}"
    return ""


def why(build: dict[str, Any]) -> str:
    """What the action says of a build that failed."""
    message = f"Build terminated with state: {build['status']}"
    return f"{message}. Phase: {build['reason']}" if build["reason"] else message


def _url(running: Running, build_id: str, batch: bool) -> str:
    project, _, _ = build_id.partition(":")
    noun = "batch" if batch else "build"
    return (
        f"https://{running.region}.console.aws.amazon.com/codesuite/codebuild/projects/{project}/{noun}/"
        f"{build_id.replace(':', '%3A')}/?region={running.region}"
    )


_PROPERTIES = (
    Property("ProjectName", True),
    Property("PrimarySource"),
    Property("BatchEnabled", default="false"),
    Property("BuildspecOverride"),
    Property("CombineArtifacts", default="false"),
    Property("EnvironmentVariables"),
)

BUILD = ActionProvider(
    type=ActionTypeId("Build", "AWS", "CodeBuild"),
    inputs=(1, 5),
    outputs=(0, 5),
    properties=_PROPERTIES,
    run=_run,
    timeout=37 * HOUR,
)
TEST = ActionProvider(
    type=ActionTypeId("Test", "AWS", "CodeBuild"),
    inputs=(1, 5),
    outputs=(0, 5),
    properties=_PROPERTIES,
    run=_run,
    timeout=37 * HOUR,
)
