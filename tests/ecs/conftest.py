"""An engine with a cluster, and an image small enough to make from the machine's own busybox."""

import json
import subprocess
from typing import Any

import pytest

from tests.containers.conftest import IMAGE, busybox
from tests.elbv2.conftest import Balancer, forward
from tests.proxy.strict_client import StrictLoad
from tests.waiting import until


@pytest.fixture(scope="session", autouse=True)
def image() -> str:
    known = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True)
    if known.returncode:
        if subprocess.run(["docker", "version"], capture_output=True).returncode:
            pytest.skip("no Docker")
        command = ["docker", "import", "--change", "ENV PATH=/bin", "-", IMAGE]
        subprocess.run(command, input=busybox(), check=True, capture_output=True)
    return IMAGE


class Ecs:
    """What tests of ECS do again and again."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.api = engine.client("ecs")

    def define(self, script: str, family: str = "app", /, **members: Any) -> str:
        """Register a task definition of one container that runs a shell script."""
        task = members.pop("task", {})
        container = {
            "name": "app",
            "image": IMAGE,
            "command": ["sh", "-c", script],
            "stopTimeout": 2,
            **members,
        }
        return self.define_containers([container], family, **task)

    def define_containers(self, containers: list[dict[str, Any]], family: str = "app", **task: Any) -> str:
        answer = self.api.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=containers,
            **{"cpu": "256", "memory": "512", **task},
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition: str, **members: Any) -> str:
        answer = self.api.run_task(
            taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK, **members
        )
        assert answer["failures"] == []
        return answer["tasks"][0]["taskArn"]

    def serve(self, definition: str, count: int = 1, name: str = "web", **members: Any) -> dict[str, Any]:
        return self.api.create_service(
            serviceName=name,
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            **members,
        )["service"]

    def task(self, arn: str) -> dict[str, Any]:
        return self.api.describe_tasks(tasks=[arn])["tasks"][0]

    def service(self, name: str = "web") -> dict[str, Any]:
        return self.api.describe_services(services=[name])["services"][0]

    def tasks(self, name: str = "web", status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.api.list_tasks(serviceName=name, desiredStatus=status)["taskArns"]
        return self.api.describe_tasks(tasks=arns)["tasks"] if arns else []

    def events(self, name: str = "web") -> list[str]:
        return [event["message"] for event in self.service(name)["events"]]

    def until_stopped(self, arn: str, seconds: float = 30) -> dict[str, Any]:
        return until(lambda: self.task(arn), lambda task: task["lastStatus"] == "STOPPED", seconds)

    def until_running(self, arn: str, seconds: float = 30) -> dict[str, Any]:
        return until(lambda: self.task(arn), lambda task: task["lastStatus"] == "RUNNING", seconds)

    def until_stable(self, name: str = "web", seconds: float = 40) -> dict[str, Any]:
        return until(
            lambda: self.service(name),
            lambda service: (
                len(service["deployments"]) == 1
                and service["runningCount"] == service["desiredCount"]
                and service["deployments"][0]["rolloutState"] == "COMPLETED"
            ),
            seconds,
        )


class Alarm:
    """An alarm whose state the test decides."""

    def __init__(self, engine: Any, name: str) -> None:
        self._api, self._name = engine.client("cloudwatch"), name
        self._api.put_metric_alarm(
            AlarmName=name,
            Namespace="App",
            MetricName=name,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
        )

    @property
    def arn(self) -> str:
        found = self._api.describe_alarms(AlarmNames=[self._name])["MetricAlarms"]
        return str(found[0]["AlarmArn"])

    def ring(self) -> None:
        self._api.set_alarm_state(AlarmName=self._name, StateValue="ALARM", StateReason="by hand")


TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)


def execution_role(engine: Any, *actions: str) -> str:
    """A role that ECS may be in for tasks, with these permissions; its ARN."""
    iam = engine.client("iam")
    role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=TRUST)["Role"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="execution", PolicyName="execution", PolicyDocument=document)
    return role["Arn"]


def logged(engine: Any) -> dict[str, Any]:
    """Members of `Ecs.define` that send what the container writes to the log group `/app`."""
    options = {
        "awslogs-group": "/app",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "ecs",
        "awslogs-create-group": "true",
    }
    role = execution_role(engine, "logs:*")
    return {
        "logConfiguration": {"logDriver": "awslogs", "options": options},
        "task": {"executionRoleArn": role},
    }


def written(engine: Any, task: str) -> list[str]:
    """The lines that a task's container `app` has written to the log group `/app`."""
    pages = engine.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName="/app", logStreamNames=[f"ecs/app/{task.rpartition('/')[2]}"])
    return [event["message"] for page in found for event in page["events"]]


NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}


@pytest.fixture
def ecs(engine: Any) -> Ecs:
    engine.client("ecs").create_cluster()
    return Ecs(engine)


def web(version: str, port: int = 8080, fails: bool = False, seconds: int = 2) -> str:
    """A script that serves its version at `/`, and at `/cgi-bin/slow` after seconds, or 500 at once if it fails."""
    # without the announcement the load balancer would use a connection again that the server is about to close
    head = r"Connection: close\\r\\nContent-Length: 4\\r\\n\\r\\n"
    work = r'printf "Status: 500 Oh\\r\\n' if fails else rf'sleep {seconds}\nprintf "'
    slow = f"'#!/bin/sh\\n{work}{head}slow\"\\n'"
    return (
        f"mkdir -p /tmp/www/cgi-bin; cd /tmp/www; echo -n {version} > index.html; "
        f"printf {slow} > cgi-bin/slow; chmod 755 cgi-bin/slow; exec httpd -f -p {port} -h /tmp/www"
    )


class Site:
    """A load balancer before a service."""

    def __init__(self, ecs: Ecs, **group: Any) -> None:
        self.ecs = ecs
        self.balancer = Balancer(ecs.engine)
        settings = {"HealthCheckPath": "/", "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}
        self.group = self.balancer.group("web", **{**settings, **group})
        self.balancer.listen(forward(self.group))
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
        self.balancer.elbv2.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=[delay])

    def define(self, script: str, port: int = 8080, **members: Any) -> str:
        task = {"cpu": "2048", "memory": "4096", **members.pop("task", {})}
        return self.ecs.define(script, portMappings=[{"containerPort": port}], task=task, **members)

    def serve(self, definition: str, count: int = 1, port: int = 8080, **members: Any) -> None:
        target = {"targetGroupArn": self.group, "containerName": "app", "containerPort": port}
        self.ecs.serve(definition, count, loadBalancers=[target], **members)

    @property
    def port(self) -> int:
        return self.balancer.bound()

    def load(self, **options: Any) -> StrictLoad:
        # the server of these tests forks for every request: it must not be what fails
        return StrictLoad(self.port, host=self.balancer.host, **{"pause": 0.05, **options})


@pytest.fixture
def site(ecs: Ecs) -> Site:
    return Site(ecs)
