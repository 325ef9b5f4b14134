"""What a build leaves: artifacts, reports, caches; and how it is stopped, timed out, queued and retried."""

from __future__ import annotations

import gzip
import io
import sqlite3
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.codebuild.conftest import Builds, output

LEAVING = """version: 0.2
phases:
  build:
    commands:
      - mkdir -p dist/deep && echo a > dist/a.txt && echo b > dist/deep/b.txt && echo no > dist/no.log
      - ln -s a.txt dist/link.txt && chmod 755 dist/a.txt
      - echo '<testsuite name="unit"><testcase name="one" time="0.5"/><testcase name="two"><failure message="broke"/></testcase></testsuite>' > junit.xml
reports:
  unit: {files: [junit.xml]}
artifacts:
  base-directory: dist
  files: ['**/*']
  exclude-paths: ['**/*.log']
  enable-symlinks: yes
  name: built-$CODEBUILD_BUILD_NUMBER.zip
  secondary-artifacts:
    flat: {files: [dist/deep/b.txt], discard-paths: yes}
"""  # noqa: E501
CACHED = """version: 0.2
phases:
  build: {commands: ['ls /var/kept || true', 'mkdir -p /var/kept && touch /var/kept/$CODEBUILD_BUILD_NUMBER']}
cache: {paths: [/var/kept/**/*]}
"""
SLEEPING = (
    "version: 0.2\nphases:\n  build: {commands: ['sleep 100']}\n  post_build: {commands: ['echo never']}"
)
FLOODING = "version: 0.2\nphases:\n  build: {commands: ['yes flood']}"


def test_artifacts_and_reports(builds: Builds):
    s3 = builds.engine.client("s3")
    s3.create_bucket(Bucket="out")
    place = {"type": "S3", "location": "out"}
    builds.project(
        "leaving",
        builds.role(),
        LEAVING,
        artifacts={
            **place,
            "packaging": "ZIP",
            "namespaceType": "BUILD_ID",
            "path": "p",
            "overrideArtifactName": True,
        },
        secondaryArtifacts=[{**place, "name": "flat", "artifactIdentifier": "flat", "packaging": "NONE"}],
        logsConfig={"s3Logs": {"status": "ENABLED", "location": "out/logs"}},
    )

    destination = {"bucket": "out", "path": "results", "packaging": "NONE"}
    builds.client.create_report_group(
        name="leaving-unit",
        type="TEST",
        exportConfig={"exportConfigType": "S3", "s3Destination": destination},
    )

    build = builds.run("leaving")

    assert build["buildStatus"] == "SUCCEEDED", "\n".join(builds.log(build))
    uid = build["id"].partition(":")[2]
    assert build["artifacts"]["location"] == f"arn:aws:s3:::out/p/{uid}/built-1.zip"
    answer = s3.get_object(Bucket="out", Key=f"p/{uid}/built-1.zip")
    assert answer["Metadata"] == {"codebuild-buildarn": build["arn"]}
    archive = answer["Body"].read()
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert sorted(files.namelist()) == ["a.txt", "deep/b.txt", "link.txt"]
        assert files.getinfo("a.txt").external_attr >> 16 & 0o777 == 0o755
        assert files.read("link.txt") == b"a.txt"
    assert s3.get_object(Bucket="out", Key="flat/b.txt")["Body"].read() == b"b\n"
    written = gzip.decompress(s3.get_object(Bucket="out", Key=f"logs/{uid}.gz")["Body"].read()).decode()
    assert written.splitlines() == builds.log(build)

    (report,) = builds.client.batch_get_reports(reportArns=build["reportArns"])["reports"]
    assert (report["status"], report["testSummary"]["total"]) == ("FAILED", 2)
    failed = builds.client.describe_test_cases(reportArn=report["arn"], filter={"status": "FAILED"})[
        "testCases"
    ]
    assert [(case["name"], case["message"]) for case in failed] == [("two", "broke")]
    exported = s3.get_object(Bucket="out", Key=f"results/leaving-unit/{report['name']}/junit.xml")
    assert exported["Body"].read().startswith(b"<testsuite")

    with sqlite3.connect(builds.engine.data / "homeport.db", timeout=10) as store:
        store.execute("UPDATE codebuild_reports SET body = json_set(body, '$.expired', 0)")
    store.close()
    later = builds.run("leaving")
    kept = builds.client.list_reports_for_report_group(reportGroupArn=report["reportGroupArn"])["reports"]
    assert kept == later["reportArns"] != [report["arn"]], "a report expires"


def test_a_cache_in_s3_and_a_local_one_carry_files_to_the_next_build(builds: Builds):
    builds.engine.client("s3").create_bucket(Bucket="cache")
    role = builds.role()
    builds.project("remote", role, CACHED, cache={"type": "S3", "location": "cache/here"})
    builds.project("local", role, CACHED, cache={"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE"]})

    for project in ("remote", "local"):
        builds.run(project)
        second = builds.run(project)
        assert output(builds.log(second)) == ["1"], "\n".join(builds.log(second))


def test_a_stopped_build_ends_at_once(builds: Builds):
    builds.project("sleeping", builds.role(), SLEEPING)

    id = builds.start("sleeping")
    builds.wait(id, 60, lambda build: build["currentPhase"] == "BUILD")
    builds.client.stop_build(id=id)
    build = builds.wait(id, 20)

    assert build["buildStatus"] == "STOPPED"
    assert [p["phaseStatus"] for p in build["phases"] if p["phaseType"] == "BUILD"] == ["STOPPED"]
    assert "POST_BUILD" not in [phase["phaseType"] for phase in build["phases"]]


def test_a_stopped_build_that_floods_its_log_ends_too(builds: Builds):
    builds.project("flooding", builds.role(), FLOODING)

    id = builds.start("flooding")
    builds.wait(id, 60, lambda build: build["currentPhase"] == "BUILD")
    time.sleep(2)
    builds.client.stop_build(id=id)
    build = builds.wait(id, 30)

    assert build["buildStatus"] == "STOPPED"
    log = builds.log(build)
    assert output(log) == ["flood"] * len(output(log)) and len(output(log)) > 1
    assert log[-2].endswith("Phase complete: BUILD State: STOPPED")


def test_a_project_with_a_limit_refuses_more_builds(builds: Builds):
    builds.project("limited", builds.role(), SLEEPING, concurrentBuildLimit=1)
    id = builds.start("limited")

    with pytest.raises(ClientError, match="Cannot have more than 1 active builds for the project limited"):
        builds.start("limited")

    builds.client.stop_build(id=id)
    builds.wait(id, 60)


def test_a_failed_build_is_retried_as_often_as_its_limit_says(builds: Builds):
    builds.project(
        "failing", builds.role(), "version: 0.2\nphases: {build: {commands: [exit 7]}}", autoRetryLimit=1
    )

    first = builds.run("failing")
    time.sleep(0.2)
    second = builds.wait(builds.get(first["id"])["autoRetryConfig"]["nextAutoRetry"])

    assert (first["buildStatus"], second["buildStatus"]) == ("FAILED", "FAILED")
    assert second["autoRetryConfig"]["previousAutoRetry"] == first["arn"]
    assert len(builds.client.list_builds_for_project(projectName="failing")["ids"]) == 2


def test_a_buildspec_that_cannot_be_read_fails_in_download_source(builds: Builds):
    builds.project("broken", builds.role(), "version: 0.2\nphases:\n  biuld: {}")

    build = builds.run("broken")

    (failed,) = [phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED"]
    assert failed["phaseType"] == "DOWNLOAD_SOURCE"
    assert failed["contexts"][0] == {
        "statusCode": "YAML_FILE_ERROR",
        "message": "Invalid buildspec phase name: biuld. Expecting: build,install,post_build,pre_build at line 3",
    }


def test_the_same_token_starts_one_build(builds: Builds):
    builds.project("once", builds.role(), "version: 0.2\nphases: {build: {commands: [true]}}")

    ids = {builds.start("once", idempotencyToken="same") for _ in range(3)}

    assert len(ids) == 1
    builds.wait(ids.pop())
