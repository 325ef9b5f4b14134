"""Sixty pushes to one branch in sixty seconds, each of which starts the pipeline (source, build, deploy): which
executions there are, how they ended, and whether one was lost or ran twice.

python -m bench.pushes [SUPERSEDED|QUEUED|PARALLEL] [pushes] [seconds between two]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench import delivery

from homeport.pytest_plugin import RunningEngine

NAME = "web"


def main(mode: str = "SUPERSEDED", pushes: int = 60, pause: float = 1.0) -> dict[str, Any]:
    """Push, wait for all executions, check them against the mode's rules, and return the numbers. Raises
    AssertionError for an execution that the rules do not allow."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            return _trial(engine, Path(folder) / "work", mode, pushes, pause)
        finally:
            engine.reset()
            engine.stop()


def _trial(engine: RunningEngine, folder: Path, mode: str, pushes: int, pause: float) -> dict[str, Any]:
    role = delivery.prepare(engine)
    delivery.project(engine, role, "echo [] > imagedefinitions.json")
    stages = delivery.build(), delivery.deploy_to_bucket("site", "Built")
    engine.client("codepipeline").create_pipeline(pipeline=delivery.pipeline(NAME, role, *stages, mode=mode))
    _settled(engine)
    delivery.start_on_push(engine, role, NAME)
    copy = delivery.WorkingCopy(engine, folder)

    began, commits = time.monotonic(), []
    for number in range(pushes):
        time.sleep(max(0.0, began + number * pause - time.monotonic()))
        commits.append(copy.push(str(number)))
    pushed = time.monotonic() - began
    delivery.until(lambda: len(delivery.executions(engine, NAME)) == pushes + 1, 60)
    found = _settled(engine)[:-1][
        ::-1
    ]  # in the order of their starts, without the one of the pipeline's creation
    ended = time.monotonic() - began
    _check(engine, mode, commits, found)
    return {
        "mode": mode,
        "pushes": pushes,
        "pushed in seconds": round(pushed, 1),
        "all ended after seconds": round(ended, 1),
        "executions": dict(Counter(one["status"] for one in found)),
        "builds": len(_builds(engine)) - 1,
        "deployed": _deployed(engine),
    }


def _settled(engine: RunningEngine) -> list[dict[str, Any]]:
    """All executions, newest first, once each has ended."""

    def look() -> list[dict[str, Any]] | None:
        found = delivery.executions(engine, NAME)
        return found if all(one["status"] not in ("InProgress", "Stopping") for one in found) else None

    return delivery.until(look, 400, 0.2) or []


def _check(engine: RunningEngine, mode: str, commits: list[str], found: list[dict[str, Any]]) -> None:
    ids = [one["pipelineExecutionId"] for one in found]
    ran = {one["pipelineExecutionId"]: _commit(one) for one in found if one["sourceRevisions"]}
    assert len(set(ran.values())) == len(ran), "a commit ran twice"
    assert set(ran.values()) <= set(commits), "a commit ran that nobody pushed"
    stages: dict[str, list[dict[str, Any]]] = {}
    for one in reversed(delivery.actions(engine, NAME)):
        if one["pipelineExecutionId"] in ids:
            stages.setdefault(one["stageName"], []).append(one)
    for name, each in stages.items():
        assert len({one["pipelineExecutionId"] for one in each}) == len(each), (
            f"an action of {name} ran twice"
        )
    built = [_external(one) for one in stages["Build"]]
    assert len(set(built)) == len(built) == len(_builds(engine)) - 1, "a build ran twice"

    statuses = {one["status"] for one in found}
    if mode == "SUPERSEDED":
        assert statuses <= {"Succeeded", "Superseded"}, statuses
        assert found[-1]["status"] == "Succeeded" and ran[ids[-1]] == commits[-1], "the newest commit wins"
    else:
        assert statuses == {"Succeeded"}, statuses
        assert set(ran.values()) == set(commits), "a commit was lost"
    if mode == "PARALLEL":
        return
    for name, each in stages.items():
        order = [ids.index(one["pipelineExecutionId"]) for one in each]
        assert order == sorted(order), f"the executions overtook each other in {name}"
        spans = [(one["startTime"], one["lastUpdateTime"]) for one in each]
        assert all(end <= start for (_, end), (start, _) in pairwise(spans)), f"two were in {name} at once"
    assert _deployed(engine) == str(len(commits) - 1)


def _commit(execution: dict[str, Any]) -> str:
    return str(execution["sourceRevisions"][0]["revisionId"])


def _external(action: dict[str, Any]) -> str:
    return str(action["output"]["executionResult"]["externalExecutionId"])


def _builds(engine: RunningEngine) -> list[str]:
    pages = engine.client("codebuild").get_paginator("list_builds_for_project").paginate(projectName="app")
    return [id for page in pages for id in page["ids"]]


def _deployed(engine: RunningEngine) -> str:
    body = engine.client("s3").get_object(Bucket=delivery.BUCKET, Key="site/index.html")["Body"]
    return str(body.read().decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", nargs="?", default="SUPERSEDED")
    parser.add_argument("pushes", nargs="?", type=int, default=60)
    parser.add_argument("pause", nargs="?", type=float, default=1.0)
    sys.stdout.write(json.dumps(main(**vars(parser.parse_args())), indent=2) + "\n")
