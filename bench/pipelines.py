"""What executions of pipelines cost the engine: how long one takes, and how many end in a second when 10, 100 and 1,000
pipelines (CodeCommit to S3) start at once, with the CPU time that each took and the memory; and the same with 100
pipelines that have a build of 0.1 seconds between source and deployment.

python -m bench.pipelines [most pipelines] [pipelines with builds]
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import delivery

from homeport.pytest_plugin import RunningEngine


def main(most: int = 100, builds: int = 100) -> dict[str, Any]:
    """Measure, and return the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            role = delivery.prepare(engine)
            numbers = _scheduling(engine, role, most)
            if builds:
                numbers[f"{builds} at once with builds"] = _with_builds(engine, role, builds)
            return numbers
        finally:
            engine.reset()
            engine.stop()


def _scheduling(engine: RunningEngine, role: str, most: int) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    names: list[str] = []
    for count in (count for count in (1, 10, 100, 1000) if count <= most):
        for number in range(len(names), count):
            names.append(_create(engine, f"p{number}", role, delivery.deploy_to_bucket(f"p{number}")))
        _wait(engine, names)
        numbers[f"{count} at once"] = _run(engine, names, repeats=10 if count == 1 else 1)
    return numbers


def _with_builds(engine: RunningEngine, role: str, count: int) -> dict[str, Any]:
    delivery.project(engine, role, "sleep 0.1; echo [] > imagedefinitions.json")
    names = [_create(engine, "b0", role, delivery.build())]
    _wait(engine, names)  # the first build makes the image ready
    names += [_create(engine, f"b{number}", role, delivery.build()) for number in range(1, count)]
    _wait(engine, names)
    return _run(engine, names)


def _create(engine: RunningEngine, name: str, role: str, *stages: dict[str, Any]) -> str:
    engine.client("codepipeline").create_pipeline(pipeline=delivery.pipeline(name, role, *stages))
    return name


def _run(engine: RunningEngine, names: list[str], repeats: int = 1) -> dict[str, Any]:
    """One execution of each pipeline at the same time."""
    runs = [_once(engine, names) for _ in range(repeats)]
    seconds, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
    return {
        "seconds": round(seconds, 2),
        "executions a second": round(len(names) / seconds, 1),
        "CPU milliseconds for each": round(cpu / len(names) * 1000, 1),
        "engine memory, MB": _memory(engine.pid),
    }


def _once(engine: RunningEngine, names: list[str]) -> tuple[float, float]:
    """Seconds until the last of one execution of each pipeline has ended, and the engine's CPU seconds."""
    client = engine.client("codepipeline")
    began, cpu = time.monotonic(), _cpu(engine.pid)
    for name in names:
        client.start_pipeline_execution(name=name)
    _wait(engine, names)
    return time.monotonic() - began, _cpu(engine.pid) - cpu


def _wait(engine: RunningEngine, names: list[str]) -> None:
    client = engine.client("codepipeline")
    left = list(names)
    while left:
        newest = client.list_pipeline_executions(pipelineName=left[-1], maxResults=1)
        status = newest["pipelineExecutionSummaries"][0]["status"]
        if status == "InProgress":
            time.sleep(0.02)
        elif status == "Succeeded":
            left.pop()
        else:
            raise RuntimeError(f"the execution of {left[-1]} is {status}")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:])), indent=2))
