"""The engine dies while a build runs: the build ends as it would have, and its log has every line once."""

from __future__ import annotations

import time

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.codebuild.conftest import Builds, output

COUNTING = """version: 0.2
phases:
  build:
    commands:
      - for i in $(seq 200); do echo "line $i"; sleep 0.01; done
  post_build:
    commands:
      - echo result > result.txt
artifacts:
  files: [result.txt]
"""
EXPECTED = [f"line {number}" for number in range(1, 201)]
POINTS = [
    *("provision.done", "prepare.done", "container.done", "start.done", "start.committed"),
    *("enter-UPLOAD_ARTIFACTS.committed", "upload.done", "s3-log.done", "complete.committed"),
]


def project(builds: Builds) -> None:
    builds.engine.client("s3").create_bucket(Bucket="artifacts")
    target = {"type": "S3", "location": "artifacts", "packaging": "NONE", "name": "out"}
    builds.project("counting", builds.role(), COUNTING, artifacts=target)


def check(builds: Builds, id: str) -> None:
    build = builds.wait(id, 90)
    log = builds.log(build)
    assert build["buildStatus"] == "SUCCEEDED", "\n".join(log)
    assert output(log) == EXPECTED
    phases = [phase["phaseType"] for phase in build["phases"]]
    assert len(phases) == len(set(phases)) == 11
    assert sum(line.endswith("Entering phase BUILD") for line in log) == 1
    stored = builds.engine.client("s3").get_object(Bucket="artifacts", Key="out/result.txt")["Body"].read()
    assert stored == b"result\n"


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_step(own_engine: RunningEngine, point: str):
    own_engine.start(HOMEPORT_FAIL_AT=f"codebuild.build.{point}")
    builds = Builds(own_engine)
    project(builds)

    id = builds.start("counting")
    own_engine.wait_dead(120)
    own_engine.start()

    check(builds, id)


def test_killed_again_and_again_while_the_commands_run(own_engine: RunningEngine):
    own_engine.start()
    builds = Builds(own_engine)
    project(builds)

    id = builds.start("counting")
    builds.wait(id, 60, lambda build: build["currentPhase"] == "BUILD")
    for pause in (0.3, 0.05, 1.0):
        time.sleep(pause)
        own_engine.restart()

    check(builds, id)


def test_a_build_goes_on_while_the_engine_is_down(own_engine: RunningEngine):
    own_engine.start()
    builds = Builds(own_engine)
    project(builds)

    id = builds.start("counting")
    builds.wait(id, 60, lambda build: build["currentPhase"] == "BUILD")
    own_engine.kill()
    time.sleep(6)
    own_engine.start()
    woken = time.time()

    check(builds, id)
    (build_phase,) = [phase for phase in builds.get(id)["phases"] if phase["phaseType"] == "BUILD"]
    assert build_phase["endTime"].timestamp() < woken


CALLING = """version: 0.2
phases:
  build:
    commands:
      - sleep 3
      - for i in $(seq 60); do curl -s -o /dev/null "$AWS_ENDPOINT_URL" && break; sleep 1; done
      - aws sts get-caller-identity --query Account --output text
"""


def test_the_engine_that_takes_over_answers_the_build(own_engine: RunningEngine):
    own_engine.start()
    builds = Builds(own_engine)
    builds.project("calling", builds.role(), CALLING)

    id = builds.start("calling")
    builds.wait(id, 60, lambda build: build["currentPhase"] == "BUILD")
    own_engine.restart()

    build = builds.wait(id, 90)
    assert output(builds.log(build)) == [own_engine.account], "\n".join(builds.log(build))
