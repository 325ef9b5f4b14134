"""The verbs on a pipeline, each as a user types it; JSON for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cli.conftest import Run
from tests.codepipeline.pipelines import (
    BUCKET,
    approval,
    codecommit_source,
    declaration,
    put,
    role,
    s3_deploy,
)
from tests.waiting import until


@pytest.fixture
def pipeline(engine: RunningEngine) -> RunningEngine:
    """A pipeline `web`: a source, an approval, a deployment."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    stages = [("Source", codecommit_source()), ("Approve", approval()), ("Deploy", s3_deploy())]
    engine.client("codepipeline").create_pipeline(pipeline=declaration("web", role(engine), *stages))
    return engine


def status(homeport: Run, *words: str) -> dict[str, Any]:
    return json.loads(homeport("status", "web", *words, "--output", "json").output)


def waits(homeport: Run) -> bool:
    found = homeport("status", "web", "--output", "json")
    if found.exit_code:
        return False
    return any(
        each["name"] == "Approve" and each["status"] == "InProgress"
        for each in json.loads(found.output)["actions"]
    )


def test_a_version_is_approved_rejected_tried_again_and_taken_back(
    pipeline: RunningEngine, homeport: Run
) -> None:
    until(lambda: waits(homeport))
    approved = json.loads(homeport("approve", "-m", "it is fine", "-o", "json").output)
    first = until(lambda: status(homeport), lambda shown: shown["status"] == "Succeeded")
    put(pipeline, "two")
    second = json.loads(homeport("start", "web", "-o", "json").output)["execution"]
    until(lambda: waits(homeport))

    why = "not today: " + "the cook is ill, " * 6 + "and the menu is old"
    homeport("reject", "web", "-m", why)
    failed = until(lambda: status(homeport), lambda shown: shown["status"] == "Failed")
    told = homeport("logs", "web", "-o", "json").output.splitlines()
    lines = homeport("logs", "web").output.splitlines()
    homeport("retry", "web")
    until(lambda: waits(homeport))
    homeport("approve", "web")
    until(lambda: status(homeport), lambda shown: shown["status"] == "Succeeded")
    back = json.loads(homeport("rollback", "web", "-o", "json").output)

    assert approved == {"pipeline": "web", "stage": "Approve", "action": "Approve"}
    assert (failed["id"], failed["id"] != first["id"]) == (second, True)
    assert any(each["action"] == "Approve" and why in each["line"] for each in map(json.loads, told))
    assert any(why in line for line in lines), "a line of a log is not broken"
    assert (back["stage"], back["target"]) == ("Deploy", first["id"])
    gone_back = until(
        lambda: status(homeport, "--execution", back["execution"]),
        lambda shown: shown["status"] == "Succeeded",
    )
    assert [each["stage"] for each in gone_back["actions"]] == ["Deploy"]
    assert pipeline.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"one"


def test_an_execution_is_stopped(pipeline: RunningEngine, homeport: Run) -> None:
    until(lambda: waits(homeport))

    stopped = homeport("stop", "web", "--abandon", "--reason", "a better idea")

    assert stopped.output.endswith("is stopping.\n")
    until(lambda: status(homeport), lambda shown: shown["status"] == "Stopped")


def test_what_cannot_be_done_is_said_with_the_next_step(engine: RunningEngine, homeport: Run) -> None:
    nothing = homeport("status")
    engine.client("s3").create_bucket(Bucket=BUCKET)
    engine.client("codecommit").create_repository(repositoryName="app")
    put(engine, "one")
    stages = [("Source", codecommit_source()), ("Deploy", s3_deploy())]
    engine.client("codepipeline").create_pipeline(pipeline=declaration("web", role(engine), *stages))
    until(lambda: homeport("status", "-o", "json").output, lambda text: '"Succeeded",\n  "started"' in text)

    assert (nothing.exit_code, "there is none yet" in nothing.output) == (1, True)
    for words, next_step in {
        ("approve",): "homeport status web",
        ("retry",): "homeport start web",
        ("rollback",): "No earlier execution of web succeeded in the stage Deploy",
        ("exec", "web"): "There is no stack web",
        ("status", "shop"): "There is no pipeline shop: there are web",
        ("open", "shop"): "There is no stack shop: there is none yet",
        ("permissions", "shop"): "There is no stack shop",
        ("cost", "shop"): "There is no stack shop",
    }.items():
        refused = homeport(*words)
        assert refused.exit_code == 1
        assert next_step in refused.output.replace("\n", " "), refused.output
