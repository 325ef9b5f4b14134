"""A service whose deployments shift traffic: two target groups behind a production and a test listener."""

from __future__ import annotations

import json
import socket
from typing import Any

from tests.ecs.conftest import Ecs, web
from tests.elbv2.conftest import Balancer
from tests.proxy.strict_client import StrictLoad
from tests.waiting import until

POLICY = "arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"


def role(engine: Any, name: str, policy: str | None = POLICY) -> str:
    """A role that ECS may assume."""
    iam = engine.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if policy:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return arn


def pause(*stages: str, **members: Any) -> dict[str, Any]:
    """A hook that waits for ContinueServiceDeployment."""
    return {"targetType": "PAUSE", "lifecycleStages": list(stages), **members}


class Shop:
    """A load balancer with a production and a test rule, on ports that no other engine of this machine has, before a
    service `web`. `group` are settings of its target groups."""

    def __init__(self, engine: Any, **group: Any) -> None:
        self.engine = engine
        self.balancer = Balancer(engine)
        self.elbv2 = self.balancer.elbv2
        settings = {"HealthCheckPath": "/", "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2, **group}
        self.groups = [self.balancer.group(name, **settings) for name in ("one", "two")]
        for group in self.groups:
            delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
            self.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
        self.ports = [free_port(), free_port()]
        self.production = self.rule(self.ports[0], 1)
        self.test = self.rule(self.ports[1], 0)
        self.role = role(engine, "shift")

    def rule(self, port: int, weight: int) -> str:
        """A listener whose default rule gives the first group that weight, of 1."""
        weights = zip(self.groups, (weight, 1 - weight), strict=True)
        targets = [{"TargetGroupArn": group, "Weight": share} for group, share in weights]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}
        listener = self.balancer.listen(action, port=port)
        arn: str = self.elbv2.describe_rules(ListenerArn=listener)["Rules"][0]["RuleArn"]
        return arn

    @property
    def ecs(self) -> Ecs:
        return Ecs(self.engine)

    def define(self, script: str, **members: Any) -> str:
        task = {"cpu": "1024", "memory": "2048"}
        return self.ecs.define(script, portMappings=[{"containerPort": 8080}], task=task, **members)

    def balanced(self, **advanced: Any) -> list[dict[str, Any]]:
        """The service's load balancer entry."""
        configuration = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.production,
            "testListenerRule": self.test,
            "roleArn": self.role,
            **advanced,
        }
        configuration = {name: value for name, value in configuration.items() if value is not None}
        target = {"targetGroupArn": self.groups[0], "containerName": "app", "containerPort": 8080}
        return [{**target, "advancedConfiguration": configuration}]

    def serve(self, strategy: str, count: int = 1, script: str = web("v1"), **configuration: Any) -> None:
        """The service with version v1, completely deployed."""
        configuration = {"strategy": strategy, **configuration}
        definition = self.define(script)
        self.ecs.serve(
            definition, count, loadBalancers=self.balanced(), deploymentConfiguration=configuration
        )
        self.until_status("SUCCESSFUL")

    def deploy(self, script: str, **configuration: Any) -> str:
        """Begin the deployment of another version; returns the service deployment's ARN."""
        self.ecs.api.update_service(
            service="web", taskDefinition=self.define(script), deploymentConfiguration=configuration
        )
        arn: str = self.deployment()["serviceDeploymentArn"]
        return arn

    def deployment(self) -> dict[str, Any]:
        """The newest service deployment."""
        api = self.ecs.api
        arn = api.list_service_deployments(service="web")["serviceDeployments"][0]["serviceDeploymentArn"]
        return api.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    def until_status(self, status: str, seconds: float = 90) -> dict[str, Any]:
        found = until(self.deployment, lambda found: found["status"] not in _RUNNING, seconds)
        assert found["status"] == status, found
        return found

    def until_stage(self, stage: str, seconds: float = 90) -> dict[str, Any]:
        """Until the deployment is in a stage; at one with a pause, until it waits there."""

        def there(found: dict[str, Any]) -> bool:
            waits = [hook["status"] for hook in found.get("lifecycleHookDetails", [])] == ["AWAITING_ACTION"]
            return found["lifecycleStage"] == stage and (waits or stage == "BAKE_TIME")

        return until(self.deployment, there, seconds)

    def go_on(self, action: str = "CONTINUE") -> None:
        """Answer the pause that the deployment waits at."""
        found = self.deployment()
        self.ecs.api.continue_service_deployment(
            serviceDeploymentArn=found["serviceDeploymentArn"],
            hookId=found["lifecycleHookDetails"][0]["hookId"],
            action=action,
        )

    def stop(self, kind: str = "ROLLBACK") -> None:
        arn = self.deployment()["serviceDeploymentArn"]
        self.ecs.api.stop_service_deployment(serviceDeploymentArn=arn, stopType=kind)

    def split(self, rule: str | None = None) -> list[int]:
        """The weights of the two target groups at a rule, production's if none is named."""
        found = self.elbv2.describe_rules(RuleArns=[rule or self.production])["Rules"][0]
        shares = found["Actions"][0]["ForwardConfig"]["TargetGroups"]
        weights = {each["TargetGroupArn"]: each["Weight"] for each in shares}
        return [weights.get(group, 0) for group in self.groups]

    def load(self, test: bool = False, **options: Any) -> StrictLoad:
        """Clients of the production rule, or of the test rule."""
        # the server of these tests forks for every request: it must not be what fails
        bound = self.balancer.bound(self.ports[test])
        return StrictLoad(bound, host=self.balancer.host, **{"pause": 0.05, **options})


def free_port() -> int:
    """A port that nobody on this machine has: several engines may share one that they all ask for."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_RUNNING = (
    "PENDING",
    "IN_PROGRESS",
    "STOP_REQUESTED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
)
