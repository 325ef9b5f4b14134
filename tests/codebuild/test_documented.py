"""What CodeBuild's user guide promises of builds: its examples, tried.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
"""

from __future__ import annotations

import io
import urllib.request
import zipfile
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.codebuild.conftest import Builds, output
from tests.codepipeline.pipelines import BUCKET, put, zipped

BUILDSPEC = """version: 0.2
env:
  git-credential-helper: yes
phases:
  build:
    commands:
      - mkdir -p my-build-1 my-build-2/my-subdirectory
      - touch my-build-1/my-file-1.txt my-build-2/my-file-2.txt my-build-2/my-subdirectory/my-file-3.txt
      - git clone -q "$CODEBUILD_SOURCE_REPO_URL" /tmp/again
      - git -C /tmp/again rev-parse HEAD
      - env | grep -E '^CODEBUILD_(SOURCE|RESOLVED)' | sort
artifacts:
  files: ['**/*']
  base-directory: 'my-build*'
  discard-paths: %s
"""


def test_variables_the_credential_helper_and_base_directories_with_a_pattern(
    engine: RunningEngine, builds: Builds
):
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("s3").put_object(Bucket=BUCKET, Key="more.zip", Body=zipped(a_txt="a"))
    engine.client("codecommit").create_repository(repositoryName="app")
    commit = put(engine, "one")
    url = f"https://git-codecommit.{engine.region}.amazonaws.com/v1/repos/app"
    builds.project(
        "app",
        builds.role(),
        source={"type": "CODECOMMIT", "location": url, "buildspec": BUILDSPEC % "yes"},
        secondarySources=[{"type": "S3", "location": f"{BUCKET}/more.zip", "sourceIdentifier": "more"}],
        artifacts={"type": "S3", "location": BUCKET, "packaging": "ZIP", "namespaceType": "BUILD_ID"},
        badgeEnabled=True,
    )

    flat = builds.start("app", sourceVersion=f"refs/heads/main^{{{commit}}}")
    deep = builds.run("app", buildspecOverride=BUILDSPEC % "no", sourceVersion="refs/tags/none")
    deep = builds.run("app", buildspecOverride=BUILDSPEC % "no", sourceVersion="main")

    assert deep["buildStatus"] == "SUCCEEDED", builds.log(deep)
    assert output(builds.log(deep)) == [
        commit,
        f"CODEBUILD_RESOLVED_SOURCE_VERSION={commit}",
        f"CODEBUILD_SOURCE_REPO_URL={url}",
        f"CODEBUILD_SOURCE_REPO_URL_more=s3://{BUCKET}/more.zip",
        "CODEBUILD_SOURCE_VERSION=main",
    ]
    assert packed(engine, deep) == ["my-file-1.txt", "my-file-2.txt", "my-subdirectory/my-file-3.txt"]
    build = builds.wait(flat)
    assert build["resolvedSourceVersion"] == commit
    assert packed(engine, build) == ["my-file-1.txt", "my-file-2.txt", "my-file-3.txt"]
    (project,) = builds.client.batch_get_projects(names=["app"])["projects"]
    address = project["badge"]["badgeRequestUrl"].partition("&")[0]
    assert badge(f"{address}&branch=main") == "passing"
    assert badge(f"{address}&tag=none") == "failing"
    assert badge(f"{address}&branch=other") == "unknown"


def packed(engine: RunningEngine, build: dict[str, Any]) -> list[str]:
    bucket, _, key = build["artifacts"]["location"].removeprefix("arn:aws:s3:::").partition("/")
    body = engine.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return sorted(zipfile.ZipFile(io.BytesIO(body)).namelist())


def badge(address: str) -> str:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode().partition('aria-label="build: ')[2].partition('"')[0]


def test_there_are_no_badges_for_sources_in_s3(builds: Builds):
    with pytest.raises(builds.client.exceptions.InvalidInputException, match="badges are not supported"):
        builds.project("app", builds.role(), source={"type": "S3", "location": "b/k.zip"}, badgeEnabled=True)


def test_a_build_on_lambda_compute_has_no_docker_and_a_quarter_of_an_hour(builds: Builds):
    environment = {
        "type": "LINUX_LAMBDA_CONTAINER",
        "computeType": "BUILD_LAMBDA_2GB",
        "image": "aws/codebuild/amazonlinux-x86_64-lambda-standard:python3.12",
    }
    spec = "version: 0.2\nphases: {build: {commands: ['python3 --version']}}"
    refused = builds.client.exceptions.InvalidInputException
    role = builds.role()
    with pytest.raises(refused, match="Privileged mode"):
        builds.project("app", role, spec, environment=environment | {"privilegedMode": True})
    with pytest.raises(refused, match="Compute type"):
        builds.project("app", role, spec, environment=environment | {"computeType": "BUILD_GENERAL1_SMALL"})
    with pytest.raises(refused, match="cache"):
        builds.project(
            "app",
            role,
            spec,
            environment=environment,
            cache={"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]},
        )
    builds.project("app", role, spec, environment=environment)

    build = builds.run("app")

    assert (build["buildStatus"], build["timeoutInMinutes"]) == ("SUCCEEDED", 15), builds.log(build)


def test_a_project_needs_a_role_that_codebuild_may_assume(builds: Builds):
    refused = builds.client.exceptions.InvalidInputException
    said = "CodeBuild is not authorized to perform: sts:AssumeRole on"
    nobody = f"arn:aws:iam::{builds.engine.account}:role/nobody"
    with pytest.raises(refused, match=f"{said} {nobody}"):
        builds.project("app", nobody, "version: 0.2")
    builds.project("app", builds.role(), "version: 0.2")
    with pytest.raises(refused, match=said):
        builds.client.update_project(name="app", serviceRole=nobody)


def test_file_systems_are_refused(builds: Builds):
    shared = {"type": "EFS", "location": "fs-1.efs.us-east-1.amazonaws.com:/", "identifier": "shared"}
    with pytest.raises(builds.client.exceptions.InvalidInputException, match="EFS"):
        builds.project("app", builds.role(), "version: 0.2", fileSystemLocations=[shared])
