"""What tasks at rest cost: the engine's CPU with 0, 50 and 200 tasks, and how long these take to start and settle.

python -m bench.idle [--seconds 10]

Ten tasks a service, of an image that sleeps; Docker's own CPU, which its containers' shims need, is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.runtime import Runtime
from homeport.pytest_plugin import RunningEngine

TASKS = 10
"""Of each service."""


def main() -> None:
    """Measure, and print a line for each number of tasks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of rest that are measured")
    seconds = parser.parse_args().seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing stays behind
    image = asyncio.run(_image())
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            _measure(engine, image, seconds)
        finally:
            engine.reset()
            engine.stop()


async def _image() -> str:
    runtime = Runtime("bench")
    try:
        return await base_images.ensure(runtime.images, recipes.PYTHON)
    finally:
        await runtime.close()


def _measure(engine: RunningEngine, image: str, seconds: float) -> None:
    ecs = engine.client("ecs")
    ecs.create_cluster()
    container = {"name": "app", "image": image, "command": ["sleep", "infinity"], "stopTimeout": 2}
    ecs.register_task_definition(
        family="app",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    services: list[str] = []
    for tasks in (0, 50, 200):
        began = time.monotonic()
        while len(services) * TASKS < tasks:
            services.append(f"s{len(services)}")
            ecs.create_service(
                serviceName=services[-1],
                taskDefinition="app",
                desiredCount=TASKS,
                launchType="FARGATE",
                networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            )
        _settle(ecs, services)
        settled = time.monotonic() - began
        time.sleep(45 if tasks else 1)  # a task that nothing checks is looked at 40 s after its start
        before = _cpu(engine.pid)
        time.sleep(seconds)
        percent = (_cpu(engine.pid) - before) / seconds * 100
        sys.stdout.write(
            f"{tasks:4} tasks, settled after {settled:5.1f} s: {percent:5.2f} % of a core at rest\n"
        )
        sys.stdout.flush()


def _settle(ecs: Any, names: list[str]) -> None:
    """Wait until every service is as it should be."""
    waiting = list(names)
    while waiting:
        found = ecs.describe_services(services=waiting[:10])["services"]
        done = {
            service["serviceName"]
            for service in found
            if service["runningCount"] == TASKS and service["deployments"][0]["rolloutState"] == "COMPLETED"
        }
        waiting = [name for name in waiting if name not in done]
        time.sleep(0.2)


def _cpu(pid: int) -> float:
    """The CPU seconds that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
