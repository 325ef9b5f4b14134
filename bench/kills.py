"""An engine that is killed in the middle of a delivery (source, build, approval, deployment to ECS): at every failpoint
of it, and at random moments. Each time the execution must end as an uninterrupted one does, with one build and one
deployment.

python -m bench.kills points|moments [how many] [first]; several failpoints are killed at in one delivery
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import delivery
from bench.failpoints import Kills, watched

from homeport.pytest_plugin import RunningEngine

NAME = "web"
SECONDS = 90.0
"""What one delivery may take, with a kill and a start of the engine in it."""
KINDS = ("codepipeline.", "codebuild.", "ecs.", "events.")
BUILD = (
    "sleep 0.5",
    f"""printf '[{{"name":"app","imageUri":"{delivery.IMAGE}"}}]' > imagedefinitions.json""",
)


def main(what: str = "moments", count: int = 1000, first: int = 0) -> dict[str, Any]:
    """Kill and return the numbers; of the failpoints those from number `first` on. Raises AssertionError when an
    execution does not end as it should."""
    with tempfile.TemporaryDirectory() as folder:
        engine = delivery.Engine(Path(folder) / "data")
        engine.start()
        try:
            trial = _Trial(engine, Path(folder) / "work")
            with watched(engine.data / "homeport.db", KINDS) as points:
                seconds = min(trial.uninterrupted() for _ in range(2))
            if what == "points":
                return _points(trial, Kills(engine, points[first : first + count]), len(points))
            return _moments(trial, count, seconds)
        finally:
            if not engine.alive:
                engine.start()
            engine.reset()
            engine.stop()


def _points(trial: _Trial, kills: Kills, known: int) -> dict[str, Any]:
    tried = len(kills.pending)
    while kills.pending:
        trial.killed_at(kills)
    return {
        "failpoints": known,
        "tried": tried,
        "killed there": len(kills.killed),
        "not reached": kills.missed,
        "wrong ends": 0,
    }


def _moments(trial: _Trial, count: int, seconds: float) -> dict[str, Any]:
    early = 0.3  # the deployment takes most of the time: every second kill is aimed at what comes before it
    during = Counter(
        trial.killed_after(random.uniform(0.0, seconds * (early if number % 2 else 1.0)))
        for number in range(count)
    )
    return {
        "uninterrupted, seconds": round(seconds, 1),
        "kills": count,
        "during": dict(during.most_common()),
        "wrong ends": 0,
    }


class _Trial:
    """One pipeline, whose executions are interrupted one after the other."""

    def __init__(self, engine: RunningEngine, folder: Path) -> None:
        self._engine = engine
        role = delivery.prepare(engine)
        delivery.project(engine, role, *BUILD)
        delivery.service(engine)
        approval = delivery.action("Approval", "Manual")
        stages = delivery.build(), approval, delivery.deploy_to_service()
        engine.client("codepipeline").create_pipeline(pipeline=delivery.pipeline(NAME, role, *stages))
        first = delivery.until(lambda: delivery.executions(engine, NAME))[0]["pipelineExecutionId"]
        self._builds: set[str] = set()
        self._deployments: set[str] = set()
        self._finish(first)
        delivery.start_on_push(engine, role, NAME)
        self._copy = delivery.WorkingCopy(engine, folder)
        self._pushes = 0

    def uninterrupted(self) -> float:
        """The seconds from a push to the end of its execution."""
        began = time.monotonic()
        self._finish(self._execution(self._push()))
        return time.monotonic() - began

    def killed_at(self, kills: Kills) -> None:
        """One delivery, in which the engine dies at failpoint after failpoint. The execution has ended as it should."""
        kills.start()
        with self._approving():
            commit = self._push()
            while kills.died(lambda: self._has_ended(commit), SECONDS):
                kills.start()
            how = f"killed at {', '.join(kills.finish()) or 'none'}"
            self._finish(self._execution(commit), how)
        _tell(f"{how}: as it should be")

    def killed_after(self, seconds: float) -> str:
        """Kill the engine that long after a push; returns the action that ran."""
        with self._approving():
            commit = self._push()
            time.sleep(seconds)
            during = self._current()
            self._engine.restart()
            self._finish(self._execution(commit), f"{seconds:.3f} s, during {during}")
        _tell(f"killed after {seconds:.3f} s, during {during}: as it should be")
        return during

    def _push(self) -> str:
        self._pushes += 1
        return self._copy.push(str(self._pushes))

    def _execution(self, commit: str) -> str:
        """The execution of this commit."""

        def look() -> str | None:
            for one in delivery.executions(self._engine, NAME):
                if one["sourceRevisions"] and one["sourceRevisions"][0]["revisionId"] == commit:
                    return str(one["pipelineExecutionId"])
            return None

        return str(delivery.until(look, SECONDS))

    def _has_ended(self, commit: str) -> bool:
        try:
            return any(
                one["status"] != "InProgress"
                and one["sourceRevisions"]
                and one["sourceRevisions"][0]["revisionId"] == commit
                for one in delivery.executions(self._engine, NAME)
            )
        except Exception:  # it has just died
            return False

    def _current(self) -> str:
        running = [one for one in delivery.actions(self._engine, NAME) if one["status"] == "InProgress"]
        return str(running[0]["actionName"]) if running else "between actions"

    @contextmanager
    def _approving(self) -> Iterator[None]:
        """Approve what is to be approved, whenever an engine answers."""
        over = threading.Event()

        def approve() -> None:
            while not over.wait(0.3):
                self._approve()

        thread = threading.Thread(target=approve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _approve(self) -> None:
        try:
            codepipeline = self._engine.client("codepipeline")
            state = codepipeline.get_pipeline_state(name=NAME)["stageStates"][2]["actionStates"][0]
            codepipeline.put_approval_result(
                pipelineName=NAME,
                stageName="Approval",
                actionName="Approval",
                token=state["latestExecution"]["token"],
                result={"status": "Approved", "summary": "fine"},
            )
        except Exception:  # nothing waits, or no engine runs: the next round tries again
            return

    def _finish(self, id: str, how: str = "uninterrupted") -> None:
        """Wait for the end of the execution, and check it."""

        def look() -> str | None:
            self._approve()
            execution = self._engine.client("codepipeline").get_pipeline_execution(
                pipelineName=NAME, pipelineExecutionId=id
            )["pipelineExecution"]
            return None if execution["status"] == "InProgress" else str(execution["status"])

        status = delivery.until(look, SECONDS, 0.1)
        ran = [
            (one["actionName"], one["status"])
            for one in delivery.actions(self._engine, NAME, pipelineExecutionId=id)
        ]
        succeeded = [(name, "Succeeded") for name in ("Deploy", "Approval", "Build", "Source")]
        assert status == "Succeeded" and ran == succeeded, f"{how}: {status}, {ran}"
        self._builds = self._one_more("build", self._builds, set(self._listed_builds()), how)
        self._deployments = self._one_more("deployment", self._deployments, set(self._listed()), how)

    def _one_more(self, noun: str, before: set[str], now: set[str], how: str) -> set[str]:
        assert not before or len(now - before) == 1, f"{how}: {len(now - before)} {noun}s"
        return now

    def _listed_builds(self) -> list[str]:
        codebuild = self._engine.client("codebuild")
        pages = codebuild.get_paginator("list_builds_for_project").paginate(projectName="app")
        return [id for page in pages for id in page["ids"]]

    def _listed(self) -> list[str]:
        """The service's deployments, and with them the revisions that were registered."""
        ecs = self._engine.client("ecs")
        deployments = ecs.list_service_deployments(service="web", maxResults=100)["serviceDeployments"]
        revisions = ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]
        assert len(revisions) == len(deployments), (
            f"{len(revisions)} revisions, {len(deployments)} deployments"
        )
        return [one["serviceDeploymentArn"] for one in deployments]


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before all kills were made"))  # and clean up
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="moments")
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("first", nargs="?", type=int, default=0)
    sys.stdout.write(json.dumps(main(**vars(parser.parse_args())), indent=2) + "\n")
