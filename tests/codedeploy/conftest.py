"""A service behind a load balancer, brought forward by CodeDeploy."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cli.browser import browser, served
from tests.ecs.conftest import Ecs, Site, image, web
from tests.ecs.shifting import free_port
from tests.elbv2.conftest import forward
from tests.lambda_ import functions
from tests.waiting import until

__all__ = ["browser", "image", "served"]

POLICY = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
ROLLBACK = {
    "enabled": True,
    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
}


class Shop(Site):
    """A service of two target groups with a deployment group; `v1` serves. Deployments wait for nothing."""

    def __init__(
        self, engine: RunningEngine, count: int = 1, policy: str | None = POLICY, grace: int = 0, **group: Any
    ) -> None:
        engine.client("ecs").create_cluster()
        super().__init__(Ecs(engine), HealthCheckIntervalSeconds=5)
        self.engine = engine
        self.api: Any = engine.client("codedeploy")
        settings = {"HealthCheckPath": "/", "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2}
        self.green = self.balancer.group("green", **settings)
        self.ports = [free_port(), free_port()]
        self.production, self.test = (
            self.balancer.listen(forward(self.group), port=port) for port in self.ports
        )
        self.role = functions.role(
            engine, "deployer", "codedeploy.amazonaws.com", *([policy] if policy else [])
        )
        self.serve(
            self.define(web("v1")),
            count,
            deploymentController={"type": "CODE_DEPLOY"},
            healthCheckGracePeriodSeconds=grace,
        )
        self.api.create_application(applicationName="shop", computePlatform="ECS")
        self.api.create_deployment_group(**{**self.settings(), **group})
        until(lambda: self.ecs.service()["taskSets"][0]["stabilityStatus"], lambda is_: is_ == "STEADY_STATE")

    @property
    def port(self) -> int:
        """The port of this machine at which users find the service."""
        return self.balancer.bound(self.ports[0])

    def settings(self) -> dict[str, Any]:
        """What CreateDeploymentGroup takes."""
        return {
            "applicationName": "shop",
            "deploymentGroupName": "web",
            "serviceRoleArn": self.role,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "autoRollbackConfiguration": ROLLBACK,
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0},
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": 0,
                },
            },
            "ecsServices": [{"serviceName": "web", "clusterName": "default"}],
            "loadBalancerInfo": {
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": "web"}, {"name": "green"}],
                        "prodTrafficRoute": {"listenerArns": [self.production]},
                    }
                ]
            },
        }

    def with_test_listener(self) -> dict[str, Any]:
        """`loadBalancerInfo` with test traffic."""
        pair = self.settings()["loadBalancerInfo"]["targetGroupPairInfoList"][0]
        pair["testTrafficRoute"] = {"listenerArns": [self.test]}
        return {"targetGroupPairInfoList": [pair]}

    def update(self, **settings: Any) -> None:
        self.api.update_deployment_group(applicationName="shop", currentDeploymentGroupName="web", **settings)

    def waits(self, ready: int = 0, termination: int = 0) -> None:
        """Let deployments wait, in minutes."""
        ready_option = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": ready}
        blue = {"action": "TERMINATE", "terminationWaitTimeInMinutes": termination}
        configuration: dict[str, Any] = {"terminateBlueInstancesOnDeploymentSuccess": blue}
        if ready:
            configuration["deploymentReadyOption"] = ready_option
        self.update(blueGreenDeploymentConfiguration=configuration)

    def deploy(self, definition: str, config: str = "ECSAllAtOnce", hooks: Any = (), **members: Any) -> str:
        revision = {
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": appspec(definition, hooks)},
        }
        if "." not in config:
            config = f"CodeDeployDefault.{config}"
        answer = self.api.create_deployment(
            applicationName="shop",
            deploymentGroupName="web",
            deploymentConfigName=config,
            **{"revision": revision, **members},
        )
        id: str = answer["deploymentId"]
        return id

    def info(self, id: str) -> dict[str, Any]:
        info: dict[str, Any] = self.api.get_deployment(deploymentId=id)["deploymentInfo"]
        return info

    def until_status(self, id: str, *statuses: str) -> dict[str, Any]:
        return until(lambda: self.info(id), lambda info: info["status"] in statuses)

    def ended(self, id: str) -> dict[str, Any]:
        return self.until_status(id, "Succeeded", "Failed", "Stopped")

    def succeeded(self, id: str) -> dict[str, Any]:
        info = self.ended(id)
        assert info["status"] == "Succeeded", info
        return info

    def target(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_deployment_target(deploymentId=id, targetId="default:web")
        target: dict[str, Any] = found["deploymentTarget"]["ecsTarget"]
        return target

    def events(self, id: str) -> dict[str, str]:
        """The statuses of the lifecycle events."""
        return {each["lifecycleEventName"]: each["status"] for each in self.target(id)["lifecycleEvents"]}

    def weights(self, listener: str | None = None) -> dict[str, int]:
        """What a listener gives each target group, by the groups' names."""
        listener = listener or self.production
        answer = self.balancer.elbv2.describe_listeners(ListenerArns=[listener])
        groups = answer["Listeners"][0]["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return {each["TargetGroupArn"].split("/")[1]: each["Weight"] for each in groups}


def appspec(definition: str, hooks: Any = ()) -> str:
    """An AppSpec file for the container of these tests."""
    properties = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
    }
    file = {
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}],
        "Hooks": [{event: function} for event, function in dict(hooks).items()],
    }
    return json.dumps(file)


@pytest.fixture
def shop(engine: RunningEngine) -> Shop:
    return Shop(engine)


@pytest.fixture
def fast_shop(own_engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Shop]:
    """A shop on an engine whose minutes take a second. Signatures would expire: it takes any key."""
    anybody = {"aws_access_key_id": "any", "aws_secret_access_key": "key"}
    monkeypatch.setattr(own_engine, "client", partial(own_engine.client, **anybody))

    def make(**options: Any) -> Shop:
        own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="60")
        return Shop(own_engine, grace=1200, **options)  # a task has twenty seconds to begin to listen

    return make
