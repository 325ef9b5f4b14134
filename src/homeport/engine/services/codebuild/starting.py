"""From a project and what StartBuild overrides to the row of a new build.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

from homeport.engine.services.codebuild import board
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, PROJECTS, Row
from homeport.engine.services.codebuild.validation import LAMBDA, STATUS_SOURCES, check_project
from homeport.engine.services.context import Context
from homeport.engine.services.idempotency import fingerprint
from homeport.engine.wire.errors import AwsError

TOKEN_SECONDS = 300
LAMBDA_MINUTES = 15
_INITIATOR = "CODEBUILD_INITIATOR"
_WHOLE = {
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "secondarySourcesOverride": "secondarySources",
    "secondarySourcesVersionOverride": "secondarySourceVersions",
    "cacheOverride": "cache",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "encryptionKeyOverride": "encryptionKey",
    "logsConfigOverride": "logsConfig",
    "autoRetryLimitOverride": "autoRetryLimit",
}
_SOURCE = {
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
    "sourceAuthOverride": "auth",
    "gitCloneDepthOverride": "gitCloneDepth",
    "gitSubmodulesConfigOverride": "gitSubmodulesConfig",
    "buildspecOverride": "buildspec",
    "insecureSslOverride": "insecureSsl",
    "reportBuildStatusOverride": "reportBuildStatus",
    "reportBuildBatchStatusOverride": "reportBuildStatus",
    "buildStatusConfigOverride": "buildStatusConfig",
}
_ENVIRONMENT = {
    "environmentTypeOverride": "type",
    "imageOverride": "image",
    "computeTypeOverride": "computeType",
    "certificateOverride": "certificate",
    "privilegedModeOverride": "privilegedMode",
    "registryCredentialOverride": "registryCredential",
    "imagePullCredentialsTypeOverride": "imagePullCredentialsType",
    "fleetOverride": "fleet",
    "hostKernelOverride": "hostKernel",
}


def effective(project: Row, request: dict[str, Any]) -> Row:
    """The project's settings as the request overrides them. Raises InvalidInputException."""
    settings: Row = copy.deepcopy(
        {key: value for key, value in project.items() if key not in ("webhook", "badge")}
    )
    settings |= {field: request[name] for name, field in _WHOLE.items() if name in request}
    for names, part in ((_SOURCE, "source"), (_ENVIRONMENT, "environment")):
        settings[part] |= {field: request[name] for name, field in names.items() if name in request}
    if settings["source"]["type"] not in STATUS_SOURCES and "reportBuildStatusOverride" not in request:
        # of the project's own source, whose type the request overrides
        settings["source"].pop("reportBuildStatus", None)
    if "sourceTypeOverride" in request and "artifactsOverride" not in request:
        both = {settings["source"]["type"], settings["artifacts"]["type"]}
        if "CODEPIPELINE" in both and len(both) > 1:
            settings["artifacts"] = {"type": "NO_ARTIFACTS"}
    settings["sourceVersion"] = request.get("sourceVersion") or settings.get("sourceVersion", "")
    _check(settings)
    return settings


def _check(settings: Row) -> None:
    pipeline = settings["source"]["type"] == "CODEPIPELINE"
    shape = settings if not pipeline else settings | {"artifacts": {"type": "CODEPIPELINE"}}
    check_project(shape)


def new_build(ctx: Context, project: Row, request: dict[str, Any], initiator: str) -> Row:
    """The row of a new build, which begins in the phase QUEUED."""
    settings = effective(project, request)
    now = ctx.now()
    uid = str(uuid.uuid4())
    id = f"{project['name']}:{uid}"
    given = request.get("environmentVariablesOverride", [])
    named = next((each["value"] for each in given if each["name"] == _INITIATOR), None)
    environment = settings["environment"]
    row: Row = {
        "id": id,
        "arn": ctx.arn(f"build/{id}"),
        "buildNumber": project["_builds"] + 1,
        "startTime": now,
        "currentPhase": "QUEUED",
        "buildStatus": IN_PROGRESS,
        "projectName": project["name"],
        "phases": [],
        "source": settings["source"],
        "secondarySources": settings.get("secondarySources", []),
        "secondarySourceVersions": settings.get("secondarySourceVersions", []),
        "artifacts": {"location": ""},
        "secondaryArtifacts": [],
        "cache": settings["cache"],
        "environment": environment
        | {"environmentVariables": _joined(environment["environmentVariables"], given)},
        "serviceRole": settings["serviceRole"],
        "logs": board.logs_location(ctx, settings, uid),
        "timeoutInMinutes": _timeout(settings),
        "queuedTimeoutInMinutes": settings["queuedTimeoutInMinutes"],
        "buildComplete": False,
        "initiator": named or initiator,
        "encryptionKey": settings["encryptionKey"],
        "exportedEnvironmentVariables": [],
        "reportArns": [],
        "idempotencyToken": request.get("idempotencyToken"),
        "_artifacts": settings["artifacts"],
        "_secondaryArtifacts": settings.get("secondaryArtifacts", []),
        "_request": {key: value for key, value in request.items() if key != "idempotencyToken"},
        "_fingerprint": fingerprint(request),
        "_cacheGeneration": project.get("_cacheGeneration", 0),
        "_variables": given,
    }
    if settings["sourceVersion"]:
        row["sourceVersion"] = settings["sourceVersion"]
    if "vpcConfig" in settings:
        row["vpcConfig"] = settings["vpcConfig"]
    if limit := settings.get("autoRetryLimit"):
        row["autoRetryConfig"] = {"autoRetryLimit": limit, "autoRetryNumber": 0}
    if request.get("debugSessionEnabled"):
        row["debugSession"] = {"sessionEnabled": True}
    PROJECTS.put(ctx, project | {"_builds": row["buildNumber"]})
    board.submit(ctx, row, now)
    return row


def _timeout(settings: Row) -> int:
    """In minutes; a Lambda function runs no longer than its own longest."""
    wanted = int(settings["timeoutInMinutes"])
    return min(wanted, LAMBDA_MINUTES) if settings["environment"]["type"] in LAMBDA else wanted


def _joined(project: list[Row], given: list[Row]) -> list[Row]:
    """The environment variables of a build: those given overrule the project's of the same name."""
    merged = {each["name"]: each for each in (*project, *given)}
    return [{"type": "PLAINTEXT", **each} for each in merged.values()]


def repeated(ctx: Context, request: dict[str, Any]) -> Row | None:
    """The build that this idempotency token has started already. Raises InvalidInputException when it started
    another one."""
    token = request.get("idempotencyToken")
    for row in BUILDS.list(ctx, idempotencyToken=token) if token else ():
        if row["startTime"] > ctx.now() - TOKEN_SECONDS:
            if row["_fingerprint"] != fingerprint(request):
                raise AwsError(
                    "InvalidInputException", "The idempotency token was used before with other parameters"
                )
            return row
    return None
