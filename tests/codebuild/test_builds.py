"""Builds without sources: commands, variables, phases, logs."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import urlsplit

from tests.codebuild.conftest import Builds, output
from tests.waiting import until

SIMPLE = """version: 0.2
env:
  variables: {FROM_SPEC: spec, OVER: spec}
  exported-variables: [MADE]
phases:
  install:
    commands: [cd /tmp, MADE=made-in-install]
  build:
    commands:
      - echo "$FROM_SPEC $OVER $MADE $PWD"
      - printf 'no newline'
      - echo "$CODEBUILD_BUILD_ID $AWS_REGION $CODEBUILD_INITIATOR"
      - echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""


def test_commands_share_variables_and_directory_from_phase_to_phase(builds: Builds):
    builds.project("simple", builds.role(), SIMPLE)

    build = builds.run("simple", environmentVariablesOverride=[{"name": "OVER", "value": "start"}])

    assert build["buildStatus"] == "SUCCEEDED", builds.log(build)
    told = ["spec start made-in-install /tmp", "no newline", f"{build['id']} us-east-1 root"]
    *said, credentials = output(builds.log(build))
    assert said == told
    assert build["exportedEnvironmentVariables"] == [{"name": "MADE", "value": "made-in-install"}]
    assert [phase["phaseType"] for phase in build["phases"]] == [
        *(
            "SUBMITTED",
            "QUEUED",
            "PROVISIONING",
            "DOWNLOAD_SOURCE",
            "INSTALL",
            "PRE_BUILD",
            "BUILD",
            "POST_BUILD",
        ),
        *("UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED"),
    ]
    until(lambda: status(f"{builds.engine.url}{urlsplit(credentials).path}"), lambda found: found == 404)


def status(url: str) -> int:
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code


def test_every_line_of_a_burst_at_the_end_is_in_the_log(builds: Builds):
    builds.project("burst", builds.role(), "version: 0.2\nphases: {build: {commands: [seq 20000]}}")

    build = builds.run("burst")

    assert build["buildStatus"] == "SUCCEEDED", build["phases"]
    assert output(builds.log(build)) == [str(number) for number in range(1, 20001)]
