"""What a project or a build must have beyond its shape."""

from __future__ import annotations

from typing import Any

from homeport.engine.wire.errors import AwsError

GIT_SOURCES = ("CODECOMMIT", "GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET")
STATUS_SOURCES = tuple(kind for kind in GIT_SOURCES if kind != "CODECOMMIT")
"""Sources whose provider can be told how builds go."""
_MAX_SECONDARY = 12
_LINUX = ("LINUX_CONTAINER", "ARM_CONTAINER", "LINUX_EC2", "ARM_EC2", "LINUX_GPU_CONTAINER")
LAMBDA = ("LINUX_LAMBDA_CONTAINER", "ARM_LAMBDA_CONTAINER")
"""Environments on the compute of AWS Lambda.
https://docs.aws.amazon.com/codebuild/latest/userguide/lambda.html"""


def check_project(row: dict[str, Any]) -> None:
    """Raise InvalidInputException for settings that do not go together."""
    _check_source(row["source"], "source")
    secondary = row.get("secondarySources", [])
    artifacts = row.get("secondaryArtifacts", [])
    _check_identifiers(
        [each.get("sourceIdentifier") for each in secondary], "secondary source", "sourceIdentifier"
    )
    _check_identifiers(
        [each.get("artifactIdentifier") for each in artifacts], "secondary artifact", "artifactIdentifier"
    )
    for each in secondary:
        _check_source(each, f"secondary source {each['sourceIdentifier']}")
    for each in (row["artifacts"], *artifacts):
        if each["type"] == "S3" and not each.get("location"):
            _refuse("Invalid artifacts: location must be specified when artifacts type is S3")
    if row["source"]["type"] == "NO_SOURCE" and not row["source"].get("buildspec"):
        _refuse("Project source type NO_SOURCE requires a buildspec: give it in source.buildspec")
    if (row["source"]["type"] == "CODEPIPELINE") != (row["artifacts"]["type"] == "CODEPIPELINE"):
        _refuse("Invalid artifacts type: source and artifacts must both be CODEPIPELINE, or neither")
    if row.get("badge", {}).get("badgeEnabled") and row["source"]["type"] not in GIT_SOURCES:
        _refuse(f"Build badges are not supported for source type {row['source']['type']}")
    if row.get("fileSystemLocations"):
        _refuse("homeport mounts no EFS file systems into builds: leave fileSystemLocations out")
    check_environment(row["environment"])
    _check_cache(row.get("cache", {}), row["environment"]["type"])


def check_environment(environment: dict[str, Any]) -> None:
    """Raise InvalidInputException for an environment that homeport cannot make."""
    if environment.get("fleet", {}).get("fleetArn"):
        refuse_fleets()
    if environment["type"] in LAMBDA:
        if environment.get("privilegedMode"):
            _refuse(f"Privileged mode is not supported with environment type {environment['type']}")
    elif environment["type"] not in _LINUX:
        _refuse(f"homeport builds in Linux containers, not in {environment['type']}: choose LINUX_CONTAINER")
    if environment["computeType"].startswith("BUILD_LAMBDA_") != (environment["type"] in LAMBDA):
        _refuse(
            f"Compute type {environment['computeType']} cannot be used with environment type {environment['type']}"
        )
    names = [variable["name"] for variable in environment.get("environmentVariables", [])]
    if double := next((name for name in names if names.count(name) > 1), None):
        _refuse(f"Invalid environment variables: duplicate name {double}")


def refuse_fleets() -> None:
    """Fleets are machines that AWS reserves; there is nothing here to reserve."""
    _refuse(
        "homeport does not support reserved capacity fleets: builds run in containers on this machine. "
        "Leave environment.fleet out"
    )


def _check_source(source: dict[str, Any], what: str) -> None:
    if source["type"] in (*GIT_SOURCES, "S3") and not source.get("location"):
        _refuse(f"Invalid {what}: location must be specified when source type is {source['type']}")
    if source.get("reportBuildStatus") and source["type"] not in STATUS_SOURCES:
        _refuse(
            f"Invalid {what}: reportBuildStatus can be used with source type {', '.join(STATUS_SOURCES)} only, "
            f"not with {source['type']}"
        )
    if source["type"] == "S3" and "/" not in source["location"].removeprefix("arn:aws:s3:::"):
        _refuse(
            f"Invalid {what}: S3 location must be of the form bucket/path/to/object.zip or bucket/folder/"
        )


def _check_identifiers(names: list[str | None], what: str, member: str) -> None:
    if len(names) > _MAX_SECONDARY:
        _refuse(f"A project has at most {_MAX_SECONDARY} of each {what}")
    for name in names:
        if not name:
            _refuse(f"Invalid {what}: {member} must be specified")
        if names.count(name) > 1:
            _refuse(f"Invalid {what}: {member} {name} is used twice")


def _check_cache(cache: dict[str, Any], environment_type: str) -> None:
    if environment_type in LAMBDA and cache.get("type", "NO_CACHE") != "NO_CACHE":
        _refuse(f"A cache is not supported with environment type {environment_type}")
    if cache.get("type") == "S3" and not cache.get("location"):
        _refuse("Invalid cache: location is required when cache type is S3")
    if cache.get("type") == "LOCAL" and not cache.get("modes"):
        _refuse("Invalid cache: at least one mode is required when cache type is LOCAL")


def _refuse(message: str) -> None:
    raise AwsError("InvalidInputException", message)
