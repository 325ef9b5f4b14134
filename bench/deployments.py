"""What deployments that shift traffic cost and lose: clients with keep-alive connections that never retry count
every answer, while a service goes from one version to the next, and back from bad ones.

python -m bench.deployments [requests a second]

Needs Docker. Waits are AWS's, in minutes; the engine's clock is sped
up for the good deployments, and `overhead` is what they took in real seconds beyond their waits. `back` is the time
from a person's stop, or from the alarm's change, to the last answer of the bad version.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.containers.conftest import IMAGE, busybox

from homeport.pytest_plugin import RunningEngine

SPEED = 4.0
CONNECTIONS = 16
BAD_RATE = 400.0
"""Requests a second of versions that run a program for each."""
_POLICY = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
_GOOD: dict[str, dict[str, Any]] = {
    "BLUE_GREEN": {"bakeTimeInMinutes": 1},
    "CANARY": {"canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1}},
    "LINEAR": {"linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 1}},
}
_BREAKER = {"enable": True, "rollback": True}


class Answer(NamedTuple):
    """One answer: when it came, its status (0: none, the connection failed), and the version that gave it."""

    at: float
    status: int
    version: str


class Clients:
    """`async with Clients(…) as clients`: requests at a steady rate until the block ends."""

    def __init__(self, port: int, host: str, path: str, rate: float) -> None:
        self._port, self._pause = port, CONNECTIONS / rate
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.answers: list[Answer] = []

    async def __aenter__(self) -> Clients:
        self._tasks = [asyncio.create_task(self._client()) for _ in range(CONNECTIONS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def between(self, begin: float, end: float) -> list[Answer]:
        """The answers of a time."""
        return [each for each in self.answers if begin <= each.at <= end]

    async def _client(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                while await self._exchange(reader, writer):
                    await asyncio.sleep(self._pause)
            except (OSError, asyncio.IncompleteReadError):
                self.answers.append(Answer(time.time(), 0, ""))
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        lines = head.split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        body = await reader.readexactly(length)
        self.answers.append(Answer(time.time(), int(lines[0].split()[1]), body.decode()))
        return "connection: close" not in head


class Site:
    """A service `web` behind a load balancer whose weights shift."""

    def __init__(self, engine: RunningEngine) -> None:
        self.engine = engine
        self.ecs, self.elbv2 = engine.client("ecs"), engine.client("elbv2")
        self.ecs.create_cluster()
        balancer = self.elbv2.create_load_balancer(Name="bench", Subnets=["subnet-1", "subnet-2"])
        self.arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.host = balancer["LoadBalancers"][0]["DNSName"]
        self.groups = [self._group(name) for name in ("one", "two")]
        weights = [{"TargetGroupArn": group, "Weight": 1 - at} for at, group in enumerate(self.groups)]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
        made = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Port=80, Protocol="HTTP", DefaultActions=[action]
        )
        listener = made["Listeners"][0]["ListenerArn"]
        self.rule = self.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
        self.role = _role(engine)

    def _group(self, name: str) -> str:
        arn: str = self.elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId="vpc-1",
            TargetType="ip",
            HealthCheckPath="/",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def clients(self, path: str, rate: float) -> Clients:
        found = self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"]
        port = {each["Key"]: each["Value"] for each in found}.get("homeport.port.80", "80")
        return Clients(int(port), self.host, path, rate)

    def define(self, version: str, status: int = 200, crash: bool = False) -> str:
        """A version that answers `/version` with its name, and `/cgi-bin/version` with a status, too; its health
        check always passes."""
        lines = [f"HTTP/1.0 {status} x", "Connection: close", f"Content-Length: {len(version)}", "", ""]
        head = "\\\\r\\\\n".join(lines)
        script = f"'#!/bin/sh\\nprintf \"{head}{version}\"\\n'"
        serve = (
            f"mkdir -p /tmp/w/cgi-bin; cd /tmp/w; echo ok > index.html; echo -n {version} > version; "
            f"printf {script} > cgi-bin/version; "
            "chmod 755 cgi-bin/version; exec httpd -f -p 8080 -h /tmp/w"
        )
        container = {
            "name": "app",
            "image": IMAGE,
            "command": ["sh", "-c", "exit 1" if crash else serve],
            "stopTimeout": 2,
            "portMappings": [{"containerPort": 8080}],
        }
        answer = self.ecs.register_task_definition(
            family="bench",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="1024",
            memory="2048",
            containerDefinitions=[container],
        )
        arn: str = answer["taskDefinition"]["taskDefinitionArn"]
        return arn

    def create(self, strategy: str, configuration: dict[str, Any]) -> None:
        advanced = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.rule,
            "roleArn": self.role,
        }
        target = {"targetGroupArn": self.groups[0], "containerName": "app", "containerPort": 8080}
        self.ecs.create_service(
            serviceName="web",
            taskDefinition=self.define("v1"),
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            loadBalancers=[{**target, "advancedConfiguration": advanced}],
            deploymentConfiguration={"strategy": strategy, **configuration},
        )

    def deploy(self, definition: str, strategy: str, configuration: dict[str, Any]) -> None:
        self.ecs.update_service(
            service="web",
            taskDefinition=definition,
            deploymentConfiguration={"strategy": strategy, **configuration},
        )

    def deployment(self) -> dict[str, Any]:
        found = self.ecs.list_service_deployments(service="web")["serviceDeployments"][0]
        arns = [found["serviceDeploymentArn"]]
        body: dict[str, Any] = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)[
            "serviceDeployments"
        ][0]
        return body

    async def until(self, good: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not good(found := await asyncio.to_thread(self.deployment)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s still: {found}")
            await asyncio.sleep(0.05)
        return found

    async def ended(self) -> str:
        running = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
        found = await self.until(lambda each: each["status"] not in running)
        return str(found["status"])


def _role(engine: RunningEngine) -> str:
    iam = engine.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName="shift", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="shift", PolicyArn=_POLICY)
    return arn


async def _good(site: Site, strategy: str, rate: float) -> list[str]:
    """Deploy well: overhead, lost requests, and how far each measured split is from the one that was asked for."""
    configuration = _GOOD[strategy]
    waits = configuration.get("bakeTimeInMinutes", 0)
    waits += configuration.get("canaryConfiguration", {}).get("canaryBakeTimeInMinutes", 0)
    if "linearConfiguration" in configuration:
        waits += configuration["linearConfiguration"]["stepBakeTimeInMinutes"]
    splits: list[tuple[float, float]] = []

    def watch(found: dict[str, Any]) -> bool:
        share = found["targetServiceRevision"]["requestedProductionTrafficWeight"]
        if not splits or splits[-1][1] != share:
            splits.append((time.time(), share))
        return bool(found["status"] == "SUCCESSFUL")

    definition = site.define(f"{strategy.lower()}-2")
    async with site.clients("/version", rate) as clients:
        await asyncio.sleep(1)
        begin = time.monotonic()
        site.deploy(definition, strategy, configuration)
        await site.until(watch, 300)
        took = time.monotonic() - begin
        await asyncio.sleep(0.5)
    worst = "-"
    partial = [
        (share, clients.between(at + 0.3, after - 0.1))
        for (at, share), (after, _) in itertools.pairwise(splits)
        if 0 < share < 100
    ]
    if partial:
        off = [abs(_share(answers, f"{strategy.lower()}-2") - share) for share, answers in partial]
        worst = f"{max(off):.2f} % of {min(len(answers) for _, answers in partial)}"
    lost = sum(each.status != 200 for each in clients.answers)
    overhead = took - waits * 60 / SPEED
    return [
        strategy,
        "good",
        "SUCCESSFUL",
        str(len(clients.answers)),
        str(lost),
        worst,
        "-",
        f"{overhead:.2f} s",
    ]


def _share(answers: list[Answer], version: str) -> float:
    return 100 * sum(each.version == version for each in answers) / max(1, len(answers))


async def _bad(site: Site, strategy: str, kind: str, rate: float) -> list[str]:
    """Deploy something bad, and see it go: what was lost beside the bad version's own answers, and how soon."""
    configuration: dict[str, Any] = {
        **_GOOD[strategy],
        "bakeTimeInMinutes": 5,
        "deploymentCircuitBreaker": _BREAKER,
    }
    if kind == "500s":
        configuration["alarms"] = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    bad = site.define("bad", status=500 if kind == "500s" else 200, crash=kind == "crash")
    async with site.clients("/cgi-bin/version", min(rate, BAD_RATE)) as clients:
        await asyncio.sleep(0.5)
        site.deploy(bad, strategy, configuration)
        decided = None
        if kind == "stop":
            await site.until(
                lambda each: each["targetServiceRevision"]["requestedProductionTrafficWeight"] > 0
            )
            await asyncio.sleep(2)
            decided = time.time()
            arn = site.deployment()["serviceDeploymentArn"]
            site.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
        status = await site.ended()
        if kind == "500s":
            decided = site.deployment()["rollback"]["startedAt"].timestamp()
        await asyncio.sleep(0.5)
    theirs = [each for each in clients.answers if each.version == "bad"]
    lost = sum(each.status != 200 for each in clients.answers if each.version != "bad")
    share = "-"
    if theirs:
        during = clients.between(theirs[0].at, theirs[-1].at)
        share = f"{_share(during, 'bad'):.2f} % of {len(during)}"
    back = f"{max(0.0, theirs[-1].at - decided):.3f} s" if theirs and decided else "-"
    return [strategy, kind, status, str(len(clients.answers)), str(lost), share, back, "-"]


def _image() -> None:
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True).returncode:
        command = ["docker", "import", "--change", "ENV PATH=/bin", "-", IMAGE]
        subprocess.run(command, input=busybox(), check=True, capture_output=True)


async def main(rate: float = 1500.0) -> None:
    """Measure, and print the table."""
    _image()
    rows = []
    for strategy in _GOOD:
        with tempfile.TemporaryDirectory() as folder:
            engine = RunningEngine(Path(folder) / "data")
            engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED=str(SPEED))
            try:
                site = Site(engine)
                site.create(strategy, {})
                await site.ended()
                rows.append(await _good(site, strategy, rate))
            finally:
                engine.reset()
                engine.stop()
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            site = Site(engine)
            _alarm(site)
            site.create("CANARY", {})
            await site.ended()
            for strategy, kind in (
                ("CANARY", "500s"),
                ("CANARY", "stop"),
                ("LINEAR", "stop"),
                ("BLUE_GREEN", "stop"),
                ("BLUE_GREEN", "crash"),
            ):
                rows.append(await _bad(site, strategy, kind, rate))
        finally:
            engine.reset()
            engine.stop()
    head = [
        "strategy",
        "version",
        "ended",
        "answers",
        "lost",
        "split off by, or bad share",
        "back",
        "overhead",
    ]
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")


def _alarm(site: Site) -> None:
    site.engine.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": "LoadBalancer", "Value": site.arn.partition("loadbalancer/")[2]}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


if __name__ == "__main__":
    asyncio.run(main(*(float(each) for each in sys.argv[1:2])))
