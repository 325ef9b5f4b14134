"""A commit's way to production, for the example in examples/hello: from `git push` until the load balancer answers with
the new version and the pipeline's execution has succeeded. What is homeport's part of it is what is left when the
user's own commands, Docker's starts of containers and the health check's waiting are taken off.

python -m bench.production [pushes]
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench import delivery

from homeport.pytest_plugin import RunningEngine

EXAMPLE = Path(__file__).parents[1] / "examples" / "hello"
STACK = "hello"
BUILD_IMAGE = "homeport/build:bookworm"
DAEMON = Path(__file__).parents[1] / "src/homeport/engine/services/codebuild/docker.sh"
TASKS, EACH = 2, 2
"""Tasks of the service, and the containers that Docker starts for each: the network's and the application's."""
USERS = ("INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD")
"""Phases of a build that consist of the user's commands."""


def main(pushes: int = 5) -> dict[str, Any]:
    """Measure, and return the numbers: medians, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            return _measure(engine, Path(folder) / "work", pushes)
        finally:
            engine.reset()
            engine.stop()


def _measure(engine: RunningEngine, folder: Path, pushes: int) -> dict[str, Any]:
    outputs = _deploy(engine)
    copy = delivery.WorkingCopy(engine, folder, STACK)
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    site = _Site(engine, outputs["Url"])
    _push(engine, copy, site, "the first")  # makes images, and fills the build's cache
    runs = [_push(engine, copy, site, f"number {number}") for number in range(pushes)]
    sys.stderr.write(_timeline(engine) + "\n")
    medians = {part: statistics.median(run[part] for run in runs) for part in runs[0]}
    docker = {
        "of which Docker: the build's container and its daemon": _build_container(),
        f"of which Docker: {TASKS} tasks at once, of {EACH} containers": _docker(TASKS, EACH, delivery.IMAGE),
    }
    taken_off = sum(seconds for part, seconds in (medians | docker).items() if part.startswith("of which"))
    rest = medians["total"] - taken_off
    return {
        part: round(seconds, 2) for part, seconds in {**medians, **docker, "homeport's part": rest}.items()
    }


def _deploy(engine: RunningEngine) -> dict[str, str]:
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=(EXAMPLE / "template.yml").read_text(),
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 240}
    )
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def _timeline(engine: RunningEngine) -> str:
    """What happened after the last push, second by second: where homeport's part is spent."""
    execution = delivery.executions(engine, STACK)[0]
    begin = execution["startTime"]
    seen: list[tuple[Any, str]] = [
        (begin, "execution starts"),
        (execution["lastUpdateTime"], "execution ends"),
    ]
    for one in delivery.actions(engine, STACK, pipelineExecutionId=execution["pipelineExecutionId"]):
        seen += [
            (one["startTime"], f"{one['actionName']} starts"),
            (one["lastUpdateTime"], f"{one['actionName']} ends"),
        ]
    codebuild = engine.client("codebuild")
    newest = codebuild.list_builds_for_project(projectName=STACK)["ids"][0]
    for phase in codebuild.batch_get_builds(ids=[newest])["builds"][0]["phases"]:
        seen.append((phase["startTime"], f"build: {phase['phaseType']}"))
    ecs = engine.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
    (shown,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    seen += [(event["createdAt"], f"service: {event['message'][:90]}") for event in shown["events"]]
    tasks = ecs.list_tasks(cluster=cluster)["taskArns"]
    for task in ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"]:
        moments = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt")
        seen += [
            (task[moment], f"task {task['taskArn'][-4:]}: {moment}") for moment in moments if moment in task
        ]
    lines = [((moment - begin).total_seconds(), what) for moment, what in seen if moment >= begin]
    return "\n".join(f"{seconds:7.3f}  {what}" for seconds, what in sorted(lines))


def _push(engine: RunningEngine, copy: delivery.WorkingCopy, site: _Site, text: str) -> dict[str, float]:
    """Push a new greeting; the seconds until it serves, those of its build's commands, and those of each stage."""
    file = copy.folder / "app.py"
    file.write_text(re.sub(r'GREETING = ".*"', f'GREETING = "Hello, {text}"', file.read_text()))
    began = time.monotonic()
    commit = copy.push(text)
    pushed = time.monotonic()

    def look() -> dict[str, Any] | None:
        for one in delivery.executions(engine, STACK):
            revisions = one["sourceRevisions"]
            if revisions and revisions[0]["revisionId"] == commit and one["status"] != "InProgress":
                return one
        return None

    execution = delivery.until(look, 300, 0.01) or {}
    assert execution["status"] == "Succeeded", execution
    delivery.until(lambda: text in site.answer(), 30, 0.01)
    total = time.monotonic() - began
    stages = {
        one["actionName"]: one
        for one in delivery.actions(engine, STACK, pipelineExecutionId=execution["pipelineExecutionId"])
    }
    seconds = {
        name: (one["lastUpdateTime"] - one["startTime"]).total_seconds() for name, one in stages.items()
    }
    build = stages["Build"]["output"]["executionResult"]["externalExecutionId"]
    phases = engine.client("codebuild").batch_get_builds(ids=[build])["builds"][0]["phases"]
    commands = sum(
        (one["endTime"] - one["startTime"]).total_seconds() for one in phases if one["phaseType"] in USERS
    )
    return {
        "total": total,
        "git push": pushed - began,
        **{f"stage {name}": value for name, value in sorted(seconds.items(), reverse=True)},
        "of which the user's commands": commands,
        "of which the wait for health": _until_healthy(engine),
    }


def _until_healthy(engine: RunningEngine) -> float:
    """Seconds from the start of the new tasks' last container until the old ones were sent away."""
    ecs = engine.client("ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
    (shown,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
    drained = next(one["createdAt"] for one in shown["events"] if "begun draining" in one["message"])
    return float((drained - max(task["startedAt"] for task in tasks)).total_seconds())


class _Site:
    """The service as its users reach it."""

    def __init__(self, engine: RunningEngine, url: str) -> None:
        self._host = url.partition("://")[2]
        elbv2 = engine.client("elbv2")
        (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
        attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
        ports = {one["Key"]: one["Value"] for one in attributes["Attributes"]}
        self._port = ports.get("homeport.port.80", "80")

    def answer(self) -> str:
        request = Request(f"http://127.0.0.1:{self._port}/", headers={"Host": self._host})
        with urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())


def _build_container() -> float:
    """The median of the seconds that Docker takes for a build's container until the Docker daemon in it answers."""
    more = ["--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=systempaths=unconfined"]
    more += ["--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--cgroupns=host"]
    volumes = [
        "--volume=/sys/fs/cgroup:/sys/fs/cgroup",
        "--volume=/var/lib/docker",
        f"--volume={DAEMON}:/docker.sh",
    ]
    command = ["docker", "run", "--rm", "--init", *more, *volumes, BUILD_IMAGE]
    command += ["sh", "-c", "plan=/tmp; : >/tmp/docker; . /docker.sh"]

    def once() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - began

    return statistics.median(once() for _ in range(5))


def _docker(tasks: int, each: int, image: str) -> float:
    """The median of the seconds that Docker takes for so many tasks at once, each of so many containers, one after
    the other."""

    def start(_: int) -> list[str]:
        command = ["docker", "run", "--detach", "--init", image, "sleep", "60"]
        done = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(each)]
        return [one.stdout.strip() for one in done]

    def once() -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(tasks) as pool:
            started = [id for ids in pool.map(start, range(tasks)) for id in ids]
        seconds = time.perf_counter() - began
        subprocess.run(["docker", "rm", "--force", *started], check=True, capture_output=True)
        return seconds

    return statistics.median(once() for _ in range(5))


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:])), indent=2))
