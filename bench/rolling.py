"""Rolling deployments under a load that forgives nothing, each with a Spot interruption: how many requests fail?

python -m bench.rolling [--deployments 20] [--kill | --calm] [--rate 500] [--tasks 2] [--minutes 5]

Keep-alive connections that never retry send `--rate` requests a second, others ask for an answer that takes two
seconds. Amid each deployment one task is interrupted, and with --kill the engine is ended by `kill -9` and started
again; with --calm neither happens. Shown besides: how long it took from UpdateService until the new version answered
everything, and what a container of the same image needs until it answers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench import strict_load, versions
from bench.strict_load import Answer

from homeport.pytest_plugin import RunningEngine

HEALTH_INTERVAL = 5
WATCHDOG = 60
"""Seconds after which a deployment counts as one that hangs."""
SLOW_CONNECTIONS = 10


class Deployment(NamedTuple):
    """When UpdateService answered, when the deployment was COMPLETED, and its version."""

    began: float
    completed: float
    version: str


def main() -> int:
    """Run the trial and print its numbers; 1 when a request failed or a deployment did not complete."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deployments", type=int, default=20)
    parser.add_argument("--kill", action="store_true", help="kill -9 the engine amid each deployment")
    parser.add_argument("--calm", action="store_true", help="no interruption")
    parser.add_argument("--rate", type=int, default=500, help="requests a second")
    parser.add_argument("--tasks", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=5.0, help="begin no deployment after that")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing stays behind
    image = versions.image()
    with tempfile.TemporaryDirectory() as folder, _engine(Path(folder) / "data") as engine:
        site = Site(engine, options.tasks)
        deployments, answers, slow = _under_load(site, options)
        alone = _container_start(image)
    return _report(deployments, answers, slow, alone)


@contextlib.contextmanager
def _engine(data: Path) -> Iterator[RunningEngine]:
    engine = RunningEngine(data)
    engine.start()
    try:
        yield engine
    finally:
        engine.reset()
        engine.stop()


class Site:
    """A load balancer before a service on Fargate Spot."""

    def __init__(self, engine: RunningEngine, tasks: int) -> None:
        self.engine = engine
        self._balance()
        engine.client("ecs").create_cluster(capacityProviders=["FARGATE_SPOT"])
        target = {"targetGroupArn": self._group, "containerName": "app", "containerPort": versions.PORT}
        engine.client("ecs").create_service(
            serviceName="web",
            taskDefinition=self._define("v0"),
            desiredCount=tasks,
            capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            loadBalancers=[target],
        )
        self.until_completed(time.monotonic() + 120)

    def _balance(self) -> None:
        elbv2 = self.engine.client("elbv2")
        balancer = elbv2.create_load_balancer(Name="bench", Subnets=["subnet-1", "subnet-2"])[
            "LoadBalancers"
        ][0]
        self.host = balancer["DNSName"]
        self._group = elbv2.create_target_group(
            Name="bench",
            Protocol="HTTP",
            Port=versions.PORT,
            VpcId=balancer["VpcId"],
            TargetType="ip",
            HealthCheckIntervalSeconds=HEALTH_INTERVAL,
            HealthCheckTimeoutSeconds=4,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.modify_target_group_attributes(
            TargetGroupArn=self._group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        forward = {"Type": "forward", "TargetGroupArn": self._group}
        arn = balancer["LoadBalancerArn"]
        elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[forward])
        found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        ports = {each["Key"]: each["Value"] for each in found}
        self.port = int(ports.get("homeport.port.80", "80"))

    def _define(self, version: str) -> str:
        answer = self.engine.client("ecs").register_task_definition(**versions.task_definition(version))
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, version: str, calm: bool, kill: bool) -> Deployment:
        """Deploy a version with a Spot interruption, and the engine's death, in the middle; `calm` without."""
        definition = self._define(version)
        ecs = self.engine.client("ecs")
        began = time.time()
        ecs.update_service(service="web", taskDefinition=definition)
        if not calm:
            time.sleep(random.uniform(0.1, 1.0))
            tasks = ecs.list_tasks(serviceName="web")["taskArns"]
            tag = {"key": "homeport:spot-interruption", "value": "now"}
            ecs.tag_resource(resourceArn=random.choice(tasks), tags=[tag])
        if kill:
            time.sleep(random.uniform(0.0, 1.0))
            self.engine.restart()
        self.until_completed(time.monotonic() + WATCHDOG)
        return Deployment(began, time.time(), version)

    def until_completed(self, until: float) -> None:
        """Wait for the deployment's end. Raises SystemExit with all that is known when it does not come."""
        ecs = self.engine.client("ecs")
        while True:
            (service,) = ecs.describe_services(services=["web"])["services"]
            primary, *older = service["deployments"]
            if not older and primary["rolloutState"] == "COMPLETED":
                return
            if time.monotonic() > until:
                raise SystemExit(f"a deployment hangs:\n{self._known(service)}")
            time.sleep(0.1)

    def _known(self, service: dict[str, Any]) -> str:
        ecs, elbv2 = self.engine.client("ecs"), self.engine.client("elbv2")
        arns = ecs.list_tasks(serviceName="web")["taskArns"]
        known = {
            "deployments": service["deployments"],
            "events": [event["message"] for event in service["events"][:20]],
            "tasks": ecs.describe_tasks(tasks=arns)["tasks"] if arns else [],
            "targets": elbv2.describe_target_health(TargetGroupArn=self._group)["TargetHealthDescriptions"],
        }
        return json.dumps(known, indent=1, default=str)


def _under_load(
    site: Site, options: argparse.Namespace
) -> tuple[list[Deployment], list[Answer], list[Answer]]:
    deployments = []
    with (
        strict_load.sent(site.port, site.host, rate=options.rate) as fast,
        strict_load.sent(site.port, site.host, versions.SLOW, connections=SLOW_CONNECTIONS) as slow,
    ):
        time.sleep(1)
        last_start = time.monotonic() + options.minutes * 60
        for number in range(1, options.deployments + 1):
            if time.monotonic() > last_start:
                sys.stderr.write(f"the time is over after {number - 1} deployments\n")
                break
            deployments.append(site.deploy(f"v{number}", options.calm, options.kill))
        time.sleep(1)
    return deployments, fast, slow


def _container_start(image: str) -> float:
    """The median of what Docker alone needs until a container of the same program answers."""
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        variables = [f"--env={name}={value}" for name, value in versions.environment("v").items()]
        command = ["docker", "run", "--rm", "--detach", *variables, image, *versions.COMMAND]
        id = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        inspect = ["docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", id]
        address = subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
        asyncio.run(_until_answers(address))
        seconds.append(time.monotonic() - began)
        subprocess.run(["docker", "rm", "--force", id], check=True, capture_output=True)
    return statistics.median(seconds)


async def _until_answers(address: str) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection(address, versions.PORT)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.01)


def _report(deployments: list[Deployment], answers: list[Answer], slow: list[Answer], alone: float) -> int:
    failed = [answer for answer in (*answers, *slow) if answer.failed]
    span = answers[-1].answered - answers[0].sent
    taken_over = [_taken_over(each, answers) for each in deployments]
    completed = [each.completed - each.began for each in deployments]
    waits = sorted(answer.answered - answer.sent for answer in answers)
    lines = {
        "deployments completed": len(deployments),
        "requests": f"{len(answers):,} ({len(answers) / span:,.0f} a second)",
        "p50 and p99, ms": f"{waits[len(waits) // 2] * 1000:.1f}, {waits[len(waits) * 99 // 100] * 1000:.1f}",
        "requests of two seconds": f"{len(slow):,}",
        "failed requests": len(failed),
        "all traffic on the new version, s": f"{statistics.median(taken_over):.2f} (most {max(taken_over):.2f})",
        "deployment COMPLETED, s": f"{statistics.median(completed):.2f} (most {max(completed):.2f})",
        "a container of it alone answers, s": f"{alone:.2f}",
        "health check interval, s": HEALTH_INTERVAL,
    }
    for name, value in lines.items():
        sys.stdout.write(f"{name:36}{value}\n")
    for answer in failed[:20]:
        cause = answer.error or f"status {answer.status}"
        sys.stdout.write(f"failed after {answer.answered - answer.sent:.3f} s: {cause}\n")
    return 1 if failed else 0


def _taken_over(deployment: Deployment, answers: list[Answer]) -> float:
    """Seconds until the last request was sent that another version answered."""
    others = [
        answer.sent
        for answer in answers
        if deployment.began < answer.sent < deployment.completed and answer.body != deployment.version
    ]
    return max(others, default=deployment.began) - deployment.began


if __name__ == "__main__":
    sys.exit(main())
