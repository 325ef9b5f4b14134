"""What deployments that shift traffic need: a load balancer with a production and a test listener that forward to
two target groups, an engine whose clock may run fast, and a role."""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import strict_load, versions
from bench.strict_load import Answer

from homeport.pytest_plugin import RunningEngine

TASKS = 2
SLOW_CONNECTIONS = 2
_HEALTH_SECONDS = 5
"""From one health check to the next, in real seconds."""


@contextlib.contextmanager
def engine(speed: float) -> Iterator[RunningEngine]:
    """An engine whose clock runs `speed` times as fast, also over kills; nothing of it is left behind."""
    with tempfile.TemporaryDirectory() as folder:
        clock = {"HOMEPORT_CLOCK_SPEED": str(speed), "HOMEPORT_CLOCK_SINCE": str(time.time())}
        running = RunningEngine(Path(folder) / "data", **(clock if speed != 1 else {}))
        start(running)
        try:
            yield running
        finally:
            if not running.alive:
                start(running)
            running.reset()
            running.stop()


def start(running: RunningEngine, fail_at: str = "") -> None:
    """Start it, to die at a failpoint if one is named. A fast clock does not fit the dates of signatures."""
    auth = "permissive" if "HOMEPORT_CLOCK_SPEED" in running.environment else "enforce"
    running.start("--auth", auth, HOMEPORT_FAIL_AT=fail_at)


class TwoGroups:
    """The load balancer `bench`, the groups `one` and `two`, and the role `shift`. `trust` is who assumes it, `policy`
    the name of the managed policy that it has."""

    def __init__(self, engine: RunningEngine, trust: str, policy: str) -> None:
        self.engine = engine
        self._speed = float(engine.environment.get("HOMEPORT_CLOCK_SPEED", 1))
        self._since = float(engine.environment.get("HOMEPORT_CLOCK_SINCE", 0))
        self.ecs.create_cluster()
        balancer = self.elbv2.create_load_balancer(Name="bench", Subnets=["subnet-1", "subnet-2"])
        self.arn: str = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.host: str = balancer["LoadBalancers"][0]["DNSName"]
        self.groups = [self._group(name) for name in ("one", "two")]
        self.listeners = [self._listener(port) for port in (80, 8080)]
        self.rules = [self._rule(listener) for listener in self.listeners]
        self.role = self._role(trust, policy)

    @functools.cached_property
    def ecs(self) -> Any:
        return self.engine.client("ecs")

    @functools.cached_property
    def elbv2(self) -> Any:
        return self.engine.client("elbv2")

    @functools.cached_property
    def cloudwatch(self) -> Any:
        return self.engine.client("cloudwatch")

    @property
    def speed(self) -> float:
        """Seconds of the engine's clock in a real second."""
        return self._speed

    def real(self, moment: Any) -> float:
        """When the engine's clock showed that moment, in seconds since the epoch."""
        return float(self._since + (moment.timestamp() - self._since) / self._speed)

    def define(self, version: str, behaviour: str = "answers") -> str:
        """Register a version of the service; see bench.versions."""
        answer = self.ecs.register_task_definition(**versions.task_definition(version, behaviour))
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    @contextlib.contextmanager
    def load(self, rate: float, slow: int = SLOW_CONNECTIONS) -> Iterator[list[Answer]]:
        """Requests to production, `slow` connections of them for answers that take two seconds."""
        found = self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=self.arn)["Attributes"]
        port = int({each["Key"]: each["Value"] for each in found}.get("homeport.port.80", "80"))
        answers: list[Answer] = []
        with contextlib.ExitStack() as stack:
            parts = [stack.enter_context(strict_load.sent(port, self.host, rate=rate))]
            if slow:
                sent = strict_load.sent(port, self.host, versions.SLOW, connections=slow)
                parts.append(stack.enter_context(sent))
            yield answers
        answers += sorted(answer for part in parts for answer in part)

    def alarm(self, name: str, metric: str = "HTTPCode_Target_5XX_Count") -> None:
        """An alarm on what the load balancer measures: more than five errors in ten seconds."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ApplicationELB",
            MetricName=metric,
            Dimensions=[{"Name": "LoadBalancer", "Value": self.arn.partition("loadbalancer/")[2]}],
            Statistic="Sum",
            Period=10,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )

    def alarm_state(self, name: str) -> dict[str, Any]:
        """The alarm, as DescribeAlarms has it."""
        found: dict[str, Any] = self.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found

    def set_alarm(self, name: str, state: str) -> None:
        """Put the alarm into a state by hand; what is measured brings it back to its own."""
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")

    def until_ok(self, name: str) -> None:
        """Wait until an alarm is over: one that goes on would be ignored by the next deployment."""
        deadline = time.monotonic() + 60
        while self.alarm_state(name)["StateValue"] != "OK":
            if time.monotonic() > deadline:
                raise TimeoutError(f"the alarm {name} is not over")
            time.sleep(0.2)

    def left_behind(self, version: str, seconds: float = 10) -> list[str]:
        """What is left over for so long."""
        deadline = time.monotonic() + seconds
        while (left := self.leftovers(version)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def leftovers(self, version: str) -> list[str]:
        """What is not as it should be at the end of a deployment, when only `version` runs: tasks, targets, weights."""
        found = []
        running = self._running()
        if running != [version] * TASKS:
            found.append(f"tasks of {running}")
        weights = self.weights(self.rules[0])
        if sorted(weights) not in ([0, 100], [0, 1]):
            return [*found, f"weights {weights}"]
        for group, weight in zip(self.groups, weights, strict=True):
            states = self._states(group)
            if states != ["healthy"] * (TASKS if weight else 0):
                found.append(f"targets {states} at weight {weight}")
        return found

    def weights(self, rule: str) -> list[int]:
        """The weights of the two groups at a rule."""
        action = self.elbv2.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"][0]
        shares = {
            each["TargetGroupArn"]: each.get("Weight", 1)
            for each in action.get("ForwardConfig", {}).get("TargetGroups", [])
        }
        return [shares.get(group, 0) for group in self.groups]

    def _running(self) -> list[str]:
        """The versions of the tasks that run."""
        arns = self.ecs.list_tasks(serviceName="web")["taskArns"]
        tasks = self.ecs.describe_tasks(tasks=arns)["tasks"] if arns else []
        definitions = [
            self.ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
            for task in tasks
        ]
        return [each["containerDefinitions"][0]["environment"][0]["value"] for each in definitions]

    def _states(self, group: str) -> list[str]:
        found = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [each["TargetHealth"]["State"] for each in found]

    def _group(self, name: str) -> str:
        arn: str = self.elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId="vpc-1",
            TargetType="ip",
            HealthCheckPath=versions.HEALTH,
            HealthCheckIntervalSeconds=round(_HEALTH_SECONDS * self.speed),  # a task's start is not sped up
            HealthCheckTimeoutSeconds=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "300"}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def _listener(self, port: int) -> str:
        weights = [{"TargetGroupArn": group, "Weight": 1 - at} for at, group in enumerate(self.groups)]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
        made = self.elbv2.create_listener(
            LoadBalancerArn=self.arn, Port=port, Protocol="HTTP", DefaultActions=[action]
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def _rule(self, listener: str) -> str:
        return str(self.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"])

    def _role(self, trust: str, policy: str) -> str:
        iam = self.engine.client("iam")
        statement = {"Effect": "Allow", "Principal": {"Service": trust}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn: str = iam.create_role(RoleName="shift", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.attach_role_policy(RoleName="shift", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return arn
