"""Why the newest build of a project failed: its phases and the end of its log say it. And why nobody is told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from homeport.cli.doctor.denials import SENTENCE
from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.logs import StreamLog, build_log
from homeport.cli.pipelines import Action

_RULES = (
    (
        "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
        "its build image is missing",
        "Name an image that exists: build.image in homeport.yml (aws/codebuild/standard:7.0), or let the build's role "
        "pull it",
    ),
    (
        "Cannot connect to the Docker daemon",
        "the build has no Docker",
        "Set privilegedMode on the project's environment",
    ),
    (
        "toomanyrequests|You have reached your .*pull rate limit",
        "Docker Hub refuses more anonymous pulls",
        "Take base images from public.ecr.aws/docker/library, or cache them: ECR pull-through",
    ),
    (
        "certificate verify failed|self.signed certificate",
        "it does not trust the certificate that a proxy presents",
        "Start the engine with the proxy's authority: SSL_CERT_FILE=<bundle.pem> homeport engine start",
    ),
    (
        "[Nn]o space left on device",
        "its disk is full",
        "Clear the cache (build.cache: none), or take more compute",
    ),
    (
        "exit status 137|Killed$",
        "it needs more memory than it has",
        "Take a larger machine: build.compute: medium",
    ),
    (
        "no matching artifact paths found|no matching base directory",
        "it left no file that its artifacts name",
        "Write imagedefinitions.json in a phase that runs, and list it under artifacts.files of the buildspec",
    ),
    ("YAML_FILE_ERROR", "its buildspec cannot be read", "Mend the buildspec as the message says"),
    ("TIMED_OUT", "it took longer than it may", "Raise build.timeout, or find what hangs in its log"),
)
_LINES = 12
_NOT_REPORTED = "COMMIT_STATUS_NOT_REPORTED"
"""What homeport's builds say at their end when their status could not be told (docs/parity.md)."""


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Look at the newest build of each project, and at the commands that the newest release of a pipeline failed in."""
    codebuild = scope.client("codebuild")
    for page in codebuild.get_paginator("list_projects").paginate():
        for name in page["projects"]:
            if scope.holds("AWS::CodeBuild::Project", name):
                yield from _project(scope, codebuild, name)
    for pipeline, action in scope.failures:
        if action.provider == "Commands":
            yield _commands(scope, pipeline["name"], action)


def _commands(scope: Scope, pipeline: str, action: Action) -> Diagnosis:
    """An action that runs commands by itself: what they wrote last."""
    log = StreamLog.of(scope.client("logs"), action.log).fresh() if action.log else ()
    said = [line.rstrip() for line in log if line.strip() and not line.startswith("[Container]")]
    return Diagnosis(
        pipeline,
        f"a command of its action {action.stage}/{action.name} fails",
        "\n".join([*said[-_LINES:], action.summary]),
        f"Mend what it says, and release again; the whole log:  homeport logs {pipeline}",
    )


def _project(scope: Scope, codebuild: Any, name: str) -> Iterator[Diagnosis]:
    ids = codebuild.list_builds_for_project(projectName=name, sortOrder="DESCENDING")["ids"][:1]
    for build in codebuild.batch_get_builds(ids=ids)["builds"] if ids else []:
        if build["buildStatus"] in ("FAILED", "FAULT", "TIMED_OUT"):
            lines = [
                line.rstrip() for line in build_log(codebuild, scope.client("logs"), build["id"], last=200)
            ]
            yield from _explained(name, build, [line for line in lines if line])
        yield from _not_reported(name, build)


def _not_reported(name: str, build: dict[str, Any]) -> Iterator[Diagnosis]:
    """What the source provider answered to the status of a build."""
    for context in build["phases"][-1].get("contexts", []):
        if context.get("statusCode") == _NOT_REPORTED:
            server = build["source"]["type"]
            yield Diagnosis(
                name,
                "the status of its build is not shown at the commit",
                f"{build['id']}: {context.get('message', '')}",
                "Give CodeBuild a token that may write commit statuses of the repository (repo:status):  "
                f"aws codebuild import-source-credentials --server-type {server} "
                "--auth-type PERSONAL_ACCESS_TOKEN --token <token>",
            )


def _explained(name: str, build: dict[str, Any], log: list[str]) -> Iterator[Diagnosis]:
    contexts = [context for phase in build.get("phases", []) for context in phase.get("contexts", [])]
    said = [
        f"{each.get('statusCode', '')}: {each.get('message', '')}" for each in contexts if each.get("message")
    ]
    text = "\n".join([build["buildStatus"], *said, *log])
    if SENTENCE.search(text):
        return  # a denial, which the check of permissions explains
    own = [line for line in log if not line.startswith("[Container]")]
    tail = own[-_LINES:] or log[-_LINES:]
    for pattern, trouble, mend in _RULES:
        if found := re.search(pattern, text, re.MULTILINE):
            hit = next((line for line in (*said, *log) if found[0] in line), found[0])
            where = f"{build['id']}, in the image {build['environment']['image']}"
            yield Diagnosis(name, trouble, "\n".join(dict.fromkeys([where, hit, *said[:2]])), mend)
            return
    evidence = "\n".join([build["id"], *said[:2], *tail])
    mend = f"Run the command on your machine; the whole log:  homeport logs {name}"
    yield Diagnosis(name, "a command of its build fails", evidence, mend)
