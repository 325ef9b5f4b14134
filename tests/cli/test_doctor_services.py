"""Five services, each ill in its own way: doctor tells them apart by what was seen, and says the change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import Ecs, image, web
from tests.elbv2.conftest import Balancer, forward
from tests.waiting import until

__all__ = ["image"]

Diagnose = Callable[..., list[dict[str, Any]]]


class Street:
    """A load balancer with a port for each service."""

    def __init__(self, engine: RunningEngine) -> None:
        engine.client("ecs").create_cluster()
        engine.client("logs").create_log_group(logGroupName="street")
        self.ecs = Ecs(engine)
        self.balancer = Balancer(engine)
        self.port = 8100

    def serve(self, name: str, script: str, health: str = "/", **container: Any) -> None:
        """A service of one task behind the balancer that should listen on port 8080."""
        self.port += 1
        thresholds = {"HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}
        group = self.balancer.group(name, HealthCheckPath=health, **thresholds)
        self.balancer.listen(forward(group), port=self.port)
        target = {"targetGroupArn": group, "containerName": "app", "containerPort": 8080}
        self.ecs.serve(self.define(name, script, **container), 1, name, loadBalancers=[target])

    def define(self, name: str, script: str, **container: Any) -> str:
        options = {"awslogs-group": "street", "awslogs-region": "us-east-1", "awslogs-stream-prefix": name}
        return self.ecs.define(
            script,
            name,
            portMappings=[{"containerPort": 8080}],
            logConfiguration={"logDriver": "awslogs", "options": options},
            task={"executionRoleArn": self.role(name)},
            **container,
        )

    def role(self, name: str) -> str:
        iam = self.ecs.engine.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [every]})
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy)
        return str(role["Arn"])


def test_what_ails_a_service_is_seen_and_the_change_is_told(
    engine: RunningEngine, diagnose: Diagnose
) -> None:
    street = Street(engine)
    street.serve("wrong-port", web("v1", port=9090))
    street.serve("no-page", web("v1"), health="/nowhere")
    street.serve("crash", "echo the database is not there; exit 3")
    street.serve("hungry", "x=0123456789abcdef; while true; do x=$x$x; done", memory=16)
    street.serve("no-image", "true", image="registry.invalid/shop:1")

    found = {
        name: until(lambda name=name: diagnose(name), lambda seen, word=word: word in str(seen))
        for name, word in {
            "wrong-port": "listens on port 9090",
            "no-page": "answers 404",
            "crash": "exit code 3",
            "hungry": "OutOfMemory",
            "no-image": "cannot be pulled",
        }.items()
    }

    def told(name: str, word: str) -> dict[str, Any]:
        return next(each for each in found[name] if word in each["trouble"])

    assert "service.port: 9090" in told("wrong-port", "9090")["mend"]
    assert "--health-check-path" in told("no-page", "404")["mend"]
    assert "/nowhere" in told("no-page", "404")["trouble"]
    assert "| the database is not there" in told("crash", "exit code 3")["evidence"]
    assert "the task's 512 MiB" in told("hungry", "needs more than 16 MiB")["mend"]
    assert "registry.invalid/shop:1" in told("no-image", "pulled")["evidence"]
