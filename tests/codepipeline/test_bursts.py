"""Sixty starts at once under each execution mode: every execution ends once, as the mode says."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.codepipeline.pipelines import BUCKET, codecommit_source, declaration, first, s3_deploy, start
from tests.waiting import until

COUNT = 60


@pytest.fixture
def burst(engine, delivery):
    def run(mode):
        codepipeline = engine.client("codepipeline")
        structure = declaration(
            "web", delivery, ("Source", codecommit_source()), ("Deploy", s3_deploy()),
            pipelineType="V2", executionMode=mode,
        )  # fmt: skip
        codepipeline.create_pipeline(pipeline=structure)
        ids = [first(engine, "web")]

        def one(_):
            try:
                return start(engine, "web")
            except codepipeline.exceptions.ConcurrentPipelineExecutionsLimitExceededException:
                return None

        with ThreadPoolExecutor(4) as pool:
            ids += [id for id in pool.map(one, range(COUNT)) if id]

        def all_ended():
            pages = codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName="web")
            found = [one for page in pages for one in page["pipelineExecutionSummaries"]]
            return found if all(one["status"] != "InProgress" for one in found) else None

        found = until(all_ended)
        assert len(set(ids)) == len(ids), "every start is an execution of its own"
        assert {one["pipelineExecutionId"] for one in found} == set(ids), "none is lost"
        return found

    return run


def test_superseded(engine, burst):
    found = burst("SUPERSEDED")
    assert len(found) == COUNT + 1
    assert found[0]["status"] == "Succeeded", "the newest always wins"
    assert {one["status"] for one in found} <= {"Succeeded", "Superseded"}
    pages = engine.client("codepipeline").get_paginator("list_action_executions").paginate(pipelineName="web")
    actions = [one for page in pages for one in page["actionExecutionDetails"]]
    ran = [one["pipelineExecutionId"] for one in actions if one["stageName"] == "Deploy"]
    assert sorted(ran) == sorted(one["pipelineExecutionId"] for one in found if one["status"] == "Succeeded")


def test_queued(engine, burst):
    found = burst("QUEUED")
    assert {one["status"] for one in found} == {"Succeeded"}
    details = (
        engine.client("codepipeline").get_paginator("list_action_executions").paginate(pipelineName="web")
    )
    deploys = [
        one for page in details for one in page["actionExecutionDetails"] if one["stageName"] == "Deploy"
    ]
    order = [one["pipelineExecutionId"] for one in sorted(deploys, key=lambda one: one["startTime"])]
    assert order == [one["pipelineExecutionId"] for one in reversed(found)], "in the order of their starts"
    spans = sorted((one["startTime"], one["lastUpdateTime"]) for one in deploys)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans)), "one by one"


def test_parallel(engine, burst):
    found = burst("PARALLEL")
    assert {one["status"] for one in found} == {"Succeeded"}
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="site/index.html")["Body"].read() == b"one"
