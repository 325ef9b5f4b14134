"""Why a push is denied, and why one starts nothing: doctor finds it by evidence, and says what mends it."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.codebuild.conftest import Builds
from tests.codeconnections.test_connections import connection, create, deliver, push, upstream
from tests.codepipeline.pipelines import (
    BUCKET,
    action,
    codecommit_source,
    declaration,
    put,
    role,
    s3_deploy,
)
from tests.waiting import until

__all__ = ["connection", "upstream"]

Diagnose = Callable[..., list[dict[str, Any]]]


def test_a_denied_push_gets_the_statement_to_add(engine: RunningEngine, diagnose: Diagnose) -> None:
    iam = engine.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": engine.account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="builder", AssumeRolePolicyDocument=document)
    reads = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName="builder", PolicyName="images", PolicyDocument=policy)
    engine.client("ecr").create_repository(repositoryName="shop")
    arn = f"arn:aws:iam::{engine.account}:role/builder"
    session = engine.client("sts").assume_role(RoleArn=arn, RoleSessionName="build")["Credentials"]
    builder = engine.client(
        "ecr",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError, match="ecr:PutImage"):
        builder.put_image(repositoryName="shop", imageManifest="{}")

    [denied] = diagnose("builder")

    assert denied["trouble"] == "its push ecr:PutImage is denied"
    assert "Add to the policy `images` of the role builder" in denied["mend"]
    assert '"Action": "ecr:PutImage"' in denied["mend"]
    assert f'"Resource": "arn:aws:ecr:us-east-1:{engine.account}:repository/shop"' in denied["mend"]


def test_builds_tell_a_missing_image_and_a_failing_command(engine: RunningEngine, diagnose: Diagnose) -> None:
    builds = Builds(engine)
    arn = builds.role()
    failing = "version: 0.2\nphases: {build: {commands: ['echo no such table: users', 'false']}}"
    builds.project("no-image", arn, failing, environment={"image": "registry.invalid/builder:1"})
    builds.project("no-luck", arn, failing)
    ids = [builds.client.start_build(projectName=name)["build"]["id"] for name in ("no-image", "no-luck")]
    until(lambda: [each["buildComplete"] for each in builds.client.batch_get_builds(ids=ids)["builds"]], all)

    [image] = diagnose("no-image")
    [command] = diagnose("no-luck")

    assert image["trouble"] == "its build image is missing"
    assert "registry.invalid/builder:1" in image["evidence"]
    assert "build.image" in image["mend"]
    assert command["trouble"] == "a command of its build fails"
    assert "no such table: users" in command["evidence"]


def test_commands_of_a_pipeline_tell_why_they_fail(engine: RunningEngine, diagnose: Diagnose) -> None:
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    check = action("Check", "Compute", "Commands", inputs=["Code"], commands=["echo too slow", "exit 4"])
    stages = [("Source", codecommit_source()), ("Test", check)]
    client = engine.client("codepipeline")
    client.create_pipeline(pipeline=declaration("web", role(engine), *stages, pipelineType="V2"))
    newest = {"pipelineName": "web", "maxResults": 1}
    until(
        lambda: client.list_pipeline_executions(**newest)["pipelineExecutionSummaries"],
        lambda found: found and found[0]["status"] == "Failed",
    )

    trouble = "a command of its action Test/Check fails"
    [failed] = [each for each in diagnose("web") if each["trouble"] == trouble]

    assert "too slow" in failed["evidence"] and "exit 4" in failed["evidence"]


def test_a_pipeline_webhook_with_a_wrong_secret_or_a_filter_that_never_matches(
    engine: RunningEngine, diagnose: Diagnose
) -> None:
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    client = engine.client("codepipeline")
    client.create_pipeline(
        pipeline=declaration("web", role(engine), ("Source", codecommit_source()), ("Deploy", s3_deploy()))
    )

    def hook(name: str, match: str) -> str:
        definition = {
            "name": name, "targetPipeline": "web", "targetAction": "Source", "authentication": "GITHUB_HMAC",
            "filters": [{"jsonPath": "$.ref", "matchEquals": match}],
            "authenticationConfiguration": {"SecretToken": "right"},
        }  # fmt: skip
        return client.put_webhook(webhook=definition)["webhook"]["url"]

    url = hook("good", "refs/heads/{BranchName}")
    hook("misspelt", "refs/heads/{Branch}")
    assert diagnose("good") == []
    body = json.dumps({"ref": "refs/heads/main"}).encode()
    signature = "sha256=" + hmac.new(b"wrong", body, hashlib.sha256).hexdigest()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(url, body, {"X-Hub-Signature-256": signature}))

    [refused] = diagnose("good")
    [never] = diagnose("misspelt")

    assert refused["trouble"] == "its last delivery was refused"
    assert "X-Hub-Signature-256 is missing or wrong" in refused["evidence"]
    assert url in refused["mend"]
    assert never["trouble"] == "its filter matches no push to main"
    assert "refs/heads/{BranchName}" in never["mend"]


def test_a_connection_that_is_pending_or_hears_nothing_of_use(
    engine: RunningEngine, connection: str, upstream: Any, diagnose: Diagnose
) -> None:
    create(engine, connection)
    client = engine.client("codeconnections")
    assert diagnose("web") == []

    deliver(engine, connection, "push", push("0" * 40, upstream.commit("two")), secret="wrong")
    [refused] = diagnose("web")
    other = push("0" * 40, upstream.commit("three"), ref="refs/heads/other")
    deliver(engine, connection, "push", other)
    [ignored] = until(lambda: diagnose("web"), lambda found: "started nothing" in str(found))
    client.tag_resource(ResourceArn=connection, Tags=[{"Key": "homeport:consent", "Value": "pending"}])
    pending = next(each for each in diagnose("web") if "PENDING" in each["evidence"])

    assert "another secret" in refused["trouble"]
    assert "branch main" in ignored["mend"]
    assert "untag-resource" in pending["mend"]
    assert "Update pending connection" in pending["mend"]


def test_filters_that_leave_the_pipelines_own_branch_out(
    engine: RunningEngine, connection: str, diagnose: Diagnose
) -> None:
    git = {"sourceActionName": "Source", "push": [{"branches": {"includes": ["release/*"]}}]}
    triggers = [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]
    create(engine, connection, triggers=triggers)

    [silent] = diagnose("web")

    assert silent["trouble"] == "its filters let no push to its branch main through"
    assert '{"branches": {"includes": ["main"]}}' in silent["mend"]
