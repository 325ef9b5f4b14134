"""The engine is killed at every failpoint of an execution: it ends as an uninterrupted one, nothing runs twice."""

import pytest
from pipelines import (
    BUCKET,
    answer,
    approval,
    codecommit_source,
    declaration,
    ended,
    first,
    outcome,
    put,
    role,
    s3_deploy,
    start,
    until,
)

from homeport.pytest_plugin import RunningEngine

STEPS = ("revision", "artifact", "deploy", "end")
MOMENTS = ("before", "done", "committed")
EVERY = [f"codepipeline.action.{step}.{moment}" for step in STEPS for moment in MOMENTS]
SOME = ["codepipeline.action.artifact.done", "codepipeline.action.deploy.done"]


@pytest.fixture
def lone(tmp_path):
    engine = RunningEngine(tmp_path / "data")
    engine.start()
    yield engine
    engine.kill()


@pytest.mark.parametrize("points", [SOME, pytest.param(EVERY, marks=pytest.mark.slow)], ids=["some", "every"])
def test_killed_at_a_failpoint_an_execution_ends_as_an_uninterrupted_one(lone, points):
    lone.client("s3").create_bucket(Bucket=BUCKET)
    lone.client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    lone.client("codecommit").create_repository(repositoryName="app")
    put(lone, "0")
    structure = declaration("web", role(lone), ("Source", codecommit_source()), ("Deploy", s3_deploy()))
    lone.client("codepipeline").create_pipeline(pipeline=structure)
    assert outcome(lone, "web", first(lone, "web")) == ("Succeeded", [])

    for number, point in enumerate(points, 1):
        put(lone, str(number))
        lone.stop()
        lone.start(HOMEPORT_FAIL_AT=point)
        id = start(lone, "web")
        lone.wait_dead()
        lone.start()
        assert outcome(lone, "web", id) == ("Succeeded", []), point
        actions = lone.client("codepipeline").list_action_executions(
            pipelineName="web", filter={"pipelineExecutionId": id}
        )["actionExecutionDetails"]
        assert [(one["actionName"], one["status"]) for one in actions] == [
            ("Deploy", "Succeeded"),
            ("Source", "Succeeded"),
        ], point
        body = lone.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read()
        assert body == str(number).encode(), point


def test_an_approval_survives_a_kill(lone):
    lone.client("s3").create_bucket(Bucket=BUCKET)
    lone.client("codecommit").create_repository(repositoryName="app")
    put(lone, "one")
    structure = declaration(
        "web", role(lone), ("Source", codecommit_source()), ("Review", approval()), ("Deploy", s3_deploy())
    )
    lone.client("codepipeline").create_pipeline(pipeline=structure)
    id = first(lone, "web")
    until(
        lambda: (
            len(
                lone.client("codepipeline").list_action_executions(pipelineName="web")[
                    "actionExecutionDetails"
                ]
            )
            == 2
        )
    )
    lone.restart()
    answer(lone, "web", "Review")
    lone.restart()
    assert ended(lone, "web", id)["status"] == "Succeeded"
