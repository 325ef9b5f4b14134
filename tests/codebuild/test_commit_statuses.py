"""Build statuses are told to the source provider, and what the provider does fails no build."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport.engine.services.codebuild.commit_statuses import NOT_TOLD
from homeport.engine.services.codebuild.github import status_url
from tests.cli.conftest import diagnose, homeport
from tests.codebuild.conftest import Builds
from tests.codebuild.github import TOKEN, GitHub
from tests.waiting import until

__all__ = ["diagnose", "homeport"]

Diagnose = Callable[..., list[dict[str, Any]]]

BUILDSPEC = """version: 0.2
phases:
  build:
    commands:
      - test "$RESULT" != bad
"""
BATCH = """version: 0.2
batch:
  build-list:
    - identifier: unit
    - identifier: lint
phases:
  build:
    commands: ["true"]
"""


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    server = GitHub(tmp_path, {"buildspec.yml": BUILDSPEC, "batch.yml": BATCH})
    yield server
    server.close()


def told(builds: Builds, github: GitHub, **source: Any) -> str:
    """A project whose builds are told to the server; returns its role."""
    role = builds.role()
    builds.project(
        "app",
        role,
        source={
            "type": "GITHUB_ENTERPRISE",
            "location": github.clone_url,
            "reportBuildStatus": True,
            **source,
        },
        buildBatchConfig={"serviceRole": role, "batchReportMode": "REPORT_INDIVIDUAL_BUILDS"},
    )
    return role


def give_token(builds: Builds) -> None:
    builds.client.import_source_credentials(
        serverType="GITHUB_ENTERPRISE", authType="PERSONAL_ACCESS_TOKEN", token=TOKEN
    )


def states(github: GitHub) -> list[str]:
    return [status["state"] for status in github.statuses]


def test_a_build_is_told_when_it_starts_and_when_it_ends(builds: Builds, github: GitHub):
    give_token(builds)
    told(builds, github)
    github.refuse_with = [502]

    build = builds.run("app", sourceVersion=f"refs/heads/main^{{{github.commit}}}")

    assert build["buildStatus"] == "SUCCEEDED"
    assert build["resolvedSourceVersion"] == github.commit
    until(lambda: "success" in states(github))
    last = github.statuses[-1]
    assert last["context"] == "AWS CodeBuild us-east-1 (app)"
    assert last["description"] == "Build succeeded for project app"
    assert build["id"].replace(":", "%3A") in last["target_url"]
    assert github.problems == []
    assert "contexts" not in builds.get(build["id"])["phases"][-1]


def test_statuses_have_the_context_and_the_url_that_the_project_wants(builds: Builds, github: GitHub):
    give_token(builds)
    config = {"context": "build of $AWS_REGION", "targetUrl": "https://ci.example/${CODEBUILD_BUILD_NUMBER}"}
    told(builds, github, buildStatusConfig=config)

    builds.run("app", environmentVariablesOverride=[{"name": "RESULT", "value": "bad"}])

    until(lambda: "failure" in states(github))
    last = github.statuses[-1]
    assert (last["context"], last["target_url"]) == ("build of us-east-1", "https://ci.example/1")


def test_a_refused_status_fails_no_build_but_doctor_tells_it(
    builds: Builds, github: GitHub, diagnose: Diagnose
):
    give_token(builds)
    told(builds, github)
    github.refuse_with = [403, 403]

    build = builds.run("app")

    assert build["buildStatus"] == "SUCCEEDED"
    (context,) = until(lambda: builds.get(build["id"])["phases"][-1].get("contexts"))
    assert context["statusCode"] == NOT_TOLD
    assert "answered 403" in context["message"] and TOKEN not in context["message"]
    (told_by_doctor,) = diagnose("app")
    assert told_by_doctor["trouble"] == "the status of its build is not shown at the commit"
    assert context["message"] in told_by_doctor["evidence"]


def test_a_status_that_could_not_be_told_is_told_by_the_next_engine(builds: Builds, github: GitHub):
    give_token(builds)
    told(builds, github)
    github.refuse_with = [503] * 100

    build = builds.run("app")
    until(lambda: builds.get(build["id"])["phases"][-1].get("contexts"))
    builds.engine.kill()
    github.refuse_with = []
    builds.engine.restart()

    until(lambda: states(github) == ["success"])
    until(lambda: not builds.get(build["id"])["phases"][-1].get("contexts"))


@pytest.mark.parametrize(
    ("mode", "contexts"),
    [
        ("REPORT_INDIVIDUAL_BUILDS", ["(app:lint)", "(app:unit)"]),
        ("REPORT_AGGREGATED_BATCH", ["(app)"]),
    ],
)
def test_a_batch_is_told_as_a_whole_or_build_by_build(
    builds: Builds, github: GitHub, mode: str, contexts: list[str]
):
    secret = builds.engine.client("secretsmanager").create_secret(
        Name="github",
        SecretString=f'{{"ServerType": "GITHUB_ENTERPRISE", "AuthType": "PERSONAL_ACCESS_TOKEN", "Token": "{TOKEN}"}}',
    )["ARN"]
    told(builds, github, auth={"type": "SECRETS_MANAGER", "resource": secret}, buildspec="batch.yml")

    batch = builds.client.start_build_batch(
        projectName="app", buildBatchConfigOverride={"batchReportMode": mode}
    )["buildBatch"]

    def succeeded() -> list[str]:
        good = [status["context"] for status in github.statuses if status["state"] == "success"]
        return sorted(context.removeprefix("AWS CodeBuild us-east-1 ") for context in good)

    until(succeeded, lambda found: found == contexts)
    (ended,) = builds.client.batch_get_build_batches(ids=[batch["id"]])["buildBatches"]
    assert ended["resolvedSourceVersion"] == github.commit


def test_a_source_without_a_provider_that_could_be_told_is_refused(builds: Builds):
    with pytest.raises(builds.client.exceptions.InvalidInputException, match="reportBuildStatus"):
        builds.project(
            "app", builds.role(), source={"type": "S3", "location": "b/k.zip", "reportBuildStatus": True}
        )


@pytest.mark.parametrize(
    ("kind", "location", "url"),
    [
        ("GITHUB", "https://github.com/o/r.git", "https://api.github.com/repos/o/r/statuses/c"),
        ("GITHUB", "https://github.com/o/r", "https://api.github.com/repos/o/r/statuses/c"),
        (
            "GITHUB_ENTERPRISE",
            "https://u@git.example/o/r/",
            "https://git.example/api/v3/repos/o/r/statuses/c",
        ),
    ],
)
def test_the_address_of_a_status(kind: str, location: str, url: str):
    assert status_url({"type": kind, "location": location}, "c") == url
