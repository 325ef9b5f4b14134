"""Batches: a graph in its order, a matrix, and what happens when a build of one fails."""

from __future__ import annotations

import time

from tests.codebuild.conftest import Builds, output

GRAPH = """version: 0.2
batch:
  fast-fail: false
  build-graph:
    - identifier: first
    - identifier: second
      depend-on: [first]
      env: {variables: {WHO: second}}
phases:
  build:
    commands:
      - echo "$WHO in $CODEBUILD_BATCH_BUILD_IDENTIFIER"
      - test "$FAIL" != "$CODEBUILD_BATCH_BUILD_IDENTIFIER"
"""


def run(builds: Builds, **request):
    builds.project("batch", role := builds.role(), GRAPH, buildBatchConfig={"serviceRole": role})
    id = builds.client.start_build_batch(projectName="batch", **request)["buildBatch"]["id"]
    deadline = time.monotonic() + 120
    while not (batch := builds.client.batch_get_build_batches(ids=[id])["buildBatches"][0])["complete"]:
        assert time.monotonic() < deadline, batch
        time.sleep(0.2)
    return batch


def test_a_graph_runs_in_its_order(builds: Builds):
    batch = run(builds)

    assert batch["buildBatchStatus"] == "SUCCEEDED", batch
    arns = [group["currentBuildSummary"]["arn"] for group in batch["buildGroups"]]
    first, second = (builds.get(arn) for arn in arns)
    assert first["endTime"] <= second["startTime"]
    assert output(builds.log(second)) == ["second in second"]
    assert second["buildBatchArn"] == batch["arn"]


def test_what_depends_on_a_failed_build_does_not_run(builds: Builds):
    batch = run(builds, environmentVariablesOverride=[{"name": "FAIL", "value": "first"}])

    assert batch["buildBatchStatus"] == "FAILED"
    first, second = batch["buildGroups"]
    assert first["currentBuildSummary"]["buildStatus"] == "FAILED"
    assert "currentBuildSummary" not in second
