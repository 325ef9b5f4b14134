"""Batches: each kind of buildspec, what happens when a build of one fails, and artifacts that become one."""

from __future__ import annotations

import io
import time
import zipfile

from tests.codebuild.conftest import Builds, output

PHASES = """
phases:
  build:
    commands:
      - echo "$WHO in $CODEBUILD_BATCH_BUILD_IDENTIFIER $CODEBUILD_CURRENT_SHARD_NUMBER/$CODEBUILD_TOTAL_SHARD_NUMBER"
      - test "$FAIL" != "$CODEBUILD_BATCH_BUILD_IDENTIFIER"
"""
GRAPH = f"""version: 0.2
batch:
  fast-fail: false
  build-graph:
    - identifier: first
    - identifier: second
      depend-on: [first]
      env: {{variables: {{WHO: second}}}}
{PHASES}"""
LIST = f"""version: 0.2
batch:
  fast-fail: true
  build-list:
    - identifier: quick
    - identifier: allowed
      ignore-failure: true
      buildspec: "version: 0.2\\nphases: {{build: {{commands: ['exit 1']}}}}"
    - identifier: slow
      buildspec: "version: 0.2\\nphases: {{build: {{commands: ['sleep $SECONDS_ASLEEP']}}}}"
{PHASES}"""
MATRIX = f"""version: 0.2
batch:
  build-matrix:
    dynamic: {{env: {{variables: {{WHO: [alice, bob]}}}}}}
{PHASES}"""
FANOUT = f"version: 0.2\nbatch: {{build-fanout: {{parallelism: 2}}}}\n{PHASES}"
LEAVING = """version: 0.2
batch:
  build-list: [{identifier: one}, {identifier: two}]
phases:
  build: {commands: ['mkdir -p out && cd out && echo $ME | tee both.txt > $ME.txt', 'chmod 755 $ME.txt']}
artifacts: {base-directory: out, files: ['**/*']}
""".replace("$ME", "$CODEBUILD_BATCH_BUILD_IDENTIFIER")


def start(builds: Builds, buildspec: str, project: dict | None = None, **request) -> str:
    role = builds.role()
    batching = builds.role(
        [{"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": "*"}], "batching"
    )
    config = {"serviceRole": batching, **(project or {}).pop("buildBatchConfig", {})}
    builds.project("batch", role, buildspec, buildBatchConfig=config, **(project or {}))
    return builds.client.start_build_batch(projectName="batch", **request)["buildBatch"]["id"]


def wait(builds: Builds, id: str) -> dict:
    deadline = time.monotonic() + 120
    while not (batch := builds.client.batch_get_build_batches(ids=[id])["buildBatches"][0])["complete"]:
        assert time.monotonic() < deadline, batch
        time.sleep(0.2)
    return batch


def outputs(builds: Builds, batch: dict) -> dict[str, list[str]]:
    """What the commands of each build wrote."""
    arns = {group["identifier"]: group["currentBuildSummary"]["arn"] for group in batch["buildGroups"]}
    return {name: output(builds.log(builds.get(arn))) for name, arn in arns.items()}


def test_a_graph_runs_in_its_order(builds: Builds):
    batch = wait(builds, start(builds, GRAPH))

    assert batch["buildBatchStatus"] == "SUCCEEDED", batch
    arns = [group["currentBuildSummary"]["arn"] for group in batch["buildGroups"]]
    first, second = (builds.get(arn) for arn in arns)
    assert first["endTime"] <= second["startTime"]
    assert output(builds.log(second)) == ["second in second /"]
    assert second["buildBatchArn"] == batch["arn"]


def test_what_depends_on_a_failed_build_does_not_run_until_it_is_tried_again(builds: Builds):
    fail = [{"name": "FAIL", "value": "first"}]
    batch = wait(builds, start(builds, GRAPH, environmentVariablesOverride=fail))

    assert batch["buildBatchStatus"] == "FAILED"
    first, second = batch["buildGroups"]
    assert first["currentBuildSummary"]["buildStatus"] == "FAILED"
    assert "currentBuildSummary" not in second

    again = builds.client.retry_build_batch(id=batch["id"], retryType="RETRY_FAILED_BUILDS")["buildBatch"]
    tried = wait(builds, again["id"])["buildGroups"][0]["currentBuildSummary"]
    assert tried["arn"] != first["currentBuildSummary"]["arn"]


def test_a_matrix_and_a_fan_out_run_all_their_builds(builds: Builds):
    matrix = wait(builds, start(builds, MATRIX))
    assert matrix["buildBatchStatus"] == "SUCCEEDED", matrix
    assert sorted(outputs(builds, matrix).values()) == [["alice in build0 /"], ["bob in build1 /"]]

    id = builds.client.start_build_batch(projectName="batch", buildspecOverride=FANOUT)["buildBatch"]["id"]
    fanout = wait(builds, id)
    assert fanout["buildBatchStatus"] == "SUCCEEDED", fanout
    assert outputs(builds, fanout) == {"build0": [" in build0 0/2"], "build1": [" in build1 1/2"]}


def test_a_list_ends_at_its_first_failure_unless_that_is_allowed(builds: Builds):
    fail, asleep = {"name": "FAIL", "value": "quick"}, {"name": "SECONDS_ASLEEP", "value": "300"}
    failed = wait(builds, start(builds, LIST, environmentVariablesOverride=[fail, asleep]))
    groups = {group["identifier"]: group["currentBuildSummary"] for group in failed["buildGroups"]}
    assert failed["buildBatchStatus"] == "FAILED"
    assert groups["slow"]["buildStatus"] == "STOPPED"
    assert builds.wait(groups["slow"]["arn"])["buildStatus"] == "STOPPED"

    asleep["value"] = "0"
    request = {"projectName": "batch", "environmentVariablesOverride": [asleep]}
    good = wait(builds, builds.client.start_build_batch(**request)["buildBatch"]["id"])
    found = {
        group["identifier"]: group["currentBuildSummary"]["buildStatus"] for group in good["buildGroups"]
    }
    assert good["buildBatchStatus"] == "SUCCEEDED"
    assert found == {"quick": "SUCCEEDED", "allowed": "FAILED", "slow": "SUCCEEDED"}


def test_artifacts_of_all_builds_become_one(builds: Builds):
    s3 = builds.engine.client("s3")
    s3.create_bucket(Bucket="out")
    place = {"type": "S3", "location": "out", "path": "p", "name": "all.zip", "packaging": "ZIP"}
    project = {"artifacts": place, "buildBatchConfig": {"combineArtifacts": True}}
    batch = wait(builds, start(builds, LEAVING, project))

    assert batch["buildBatchStatus"] == "SUCCEEDED", batch["phases"]
    assert [phase["phaseType"] for phase in batch["phases"]][-2:] == ["COMBINE_ARTIFACTS", "SUCCEEDED"]
    assert batch["artifacts"]["location"] == "arn:aws:s3:::out/p/all.zip"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="out")["Contents"]] == ["p/all.zip"]
    archive = s3.get_object(Bucket="out", Key="p/all.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.namelist() == ["both.txt", "one.txt", "two.txt"]
        assert files.read("both.txt") == b"two\n"
        assert files.getinfo("one.txt").external_attr >> 16 & 0o777 == 0o755
