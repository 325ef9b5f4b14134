"""A service `web` that CodeDeploy brings forward."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench import two_groups, versions
from bench.two_groups import TASKS, TwoGroups
from bench.watching import Look
from tests.lambda_ import functions as lambdas

ENDED = ("Succeeded", "Failed", "Stopped")
TERMINATION_SECONDS = 4
"""About what the original tasks stay after all traffic has gone over, in real seconds."""
READY_MINUTES = 30
"""How long a deployment that waits for its continuation waits; trials end sooner."""
START_SECONDS = 30
"""What a container may take to begin to listen, in real seconds."""
EVENTS = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "Ready",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
    "Termination",
)
"""The lifecycle events, and the two waits between and after them."""
_HOOK = """
import boto3, os  # as anybody: a fast clock does not fit the dates of a role's signatures
def handler(event, context):
    if not os.environ["STATUS"]:
        return
    anybody = {"aws_access_key_id": "any", "aws_secret_access_key": "key"}
    boto3.Session(**anybody).client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["STATUS"],
    )
"""
_ROLLBACK = {
    "enabled": True,
    "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
}


class Configuration(NamedTuple):
    """A deployment configuration by its name, with its waits between shifts in minutes; `routing` is that of one of
    our own. `speed` is that of the clock which makes the waits bearable, `fast` where no split is to be counted."""

    name: str
    minutes: int
    speed: float
    fast: float
    routing: dict[str, Any] | None = None

    @property
    def termination(self) -> int:
        """The termination wait, in minutes."""
        return max(1, round(TERMINATION_SECONDS * self.speed / 60))

    @property
    def waits(self) -> float:
        """The sum of its waits and the termination wait, in seconds of the engine's clock."""
        return float((self.minutes + self.termination) * 60)


class CodeDeploySite(TwoGroups):
    """The service runs `version`; deployments have that configuration."""

    def __init__(self, engine: Any, configuration: Configuration) -> None:
        super().__init__(engine, "codedeploy.amazonaws.com", "AWSCodeDeployRoleForECS")
        self.configuration = configuration
        self.version = "v0"
        self.id = ""
        self.api = engine.client("codedeploy")
        lambdas.role(engine)
        for name, status in (("passes", "Succeeded"), ("fails", "Failed"), ("silent", "")):
            environment = {"Variables": {"STATUS": status}}
            lambdas.create(engine, _HOOK, name, Environment=environment, Timeout=900)
        self._create()

    def _create(self) -> None:
        target = {"targetGroupArn": self.groups[0], "containerName": "app", "containerPort": versions.PORT}
        self.ecs.create_service(
            serviceName="web",
            taskDefinition=self.define(self.version),
            desiredCount=TASKS,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            loadBalancers=[target],
            deploymentController={"type": "CODE_DEPLOY"},
            healthCheckGracePeriodSeconds=int(START_SECONDS * self.configuration.speed),
        )
        if self.configuration.routing:
            self.api.create_deployment_config(
                deploymentConfigName=self.configuration.name,
                computePlatform="ECS",
                trafficRoutingConfig=self.configuration.routing,
            )
        self.api.create_application(applicationName="shop", computePlatform="ECS")
        self.api.create_deployment_group(
            **self._group_named(), deploymentGroupName="web", **self._settings(), serviceRoleArn=self.role
        )
        deadline = time.monotonic() + 120
        while self.ecs.describe_services(services=["web"])["services"][0]["taskSets"][0][
            "stabilityStatus"
        ] != ("STEADY_STATE"):
            if time.monotonic() > deadline:
                raise TimeoutError("the service was not made")
            time.sleep(0.1)

    def _group_named(self) -> dict[str, str]:
        return {"applicationName": "shop"}

    def _settings(self, ready: bool = False, alarm: bool = False) -> dict[str, Any]:
        option = {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": READY_MINUTES}
        at_once = {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
        return {
            "deploymentConfigName": self.configuration.name,
            "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            "autoRollbackConfiguration": _ROLLBACK,
            "alarmConfiguration": {"enabled": alarm, "alarms": [{"name": "errors"}] if alarm else []},
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": option if ready else at_once,
                "terminateBlueInstancesOnDeploymentSuccess": {
                    "action": "TERMINATE",
                    "terminationWaitTimeInMinutes": self.configuration.termination,
                },
            },
            "ecsServices": [{"serviceName": "web", "clusterName": "default"}],
            "loadBalancerInfo": {
                "targetGroupPairInfoList": [
                    {
                        "targetGroups": [{"name": "one"}, {"name": "two"}],
                        "prodTrafficRoute": {"listenerArns": [self.listeners[0]]},
                        "testTrafficRoute": {"listenerArns": [self.listeners[1]]},
                    }
                ]
            },
        }

    def deploy(
        self, definition: str, hooks: dict[str, str] | None = None, ready: bool = False, alarm: bool = False
    ) -> None:
        """Begin to deploy a version; `hooks` are functions (`passes`, `fails`, `silent`) by lifecycle event, `ready`
        lets it wait for its continuation, `alarm` stop for the alarm `errors`."""
        self.api.update_deployment_group(
            **self._group_named(), currentDeploymentGroupName="web", **self._settings(ready, alarm)
        )
        self.id, self._known = "", set(self._deployments())
        content = json.dumps(_appspec(definition, hooks or {}))
        self.id = self.api.create_deployment(
            **self._group_named(),
            deploymentGroupName="web",
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
        )["deploymentId"]

    def _deployments(self) -> list[str]:
        found: list[str] = self.api.list_deployments(**self._group_named(), deploymentGroupName="web")[
            "deployments"
        ]
        return found

    def info(self) -> dict[str, Any]:
        """The deployment, though its id was not heard as the engine died."""
        self.id = self.id or next(iter(set(self._deployments()) - self._known))
        found: dict[str, Any] = self.api.get_deployment(deploymentId=self.id)["deploymentInfo"]
        return found

    def look(self) -> Look:
        """How the deployment is; its stage is the lifecycle event, or the wait, that goes on."""
        info = self.info()
        target = self.api.get_deployment_target(deploymentId=self.id, targetId="default:web")
        target = target["deploymentTarget"]["ecsTarget"]
        going = [
            each["lifecycleEventName"] for each in target["lifecycleEvents"] if each["status"] == "InProgress"
        ]
        stage = going[0] if going else ""
        if info["status"] == "Ready":
            stage = "Ready"
        elif info["instanceTerminationWaitTimeStarted"]:
            stage = "Termination"
        shares = {each["taskSetLabel"]: each["trafficWeight"] for each in target["taskSetsInfo"]}
        return Look(stage, shares.get("Green", 0.0), info["status"])

    def stop(self, rollback: bool) -> None:
        """Stop it as a person does."""
        self.api.stop_deployment(deploymentId=self.id, autoRollbackEnabled=rollback)

    def go_on(self) -> None:
        """Let it go on with production traffic. Raises ClientError when it does not wait for that."""
        self.api.continue_deployment(deploymentId=self.id, deploymentWaitType="READY_WAIT")

    def ring(self) -> None:
        """Set the alarm off by hand."""
        self.engine.client("cloudwatch").set_alarm_state(
            AlarmName="errors", StateValue="ALARM", StateReason="by hand"
        )

    def leftovers(self, version: str) -> list[str]:
        """What is not as it should be when only `version` is there; its task set among it."""
        found = super().leftovers(version)
        service = self.ecs.describe_services(services=["web"])["services"][0]
        sets = [(each["status"], each["stabilityStatus"]) for each in service["taskSets"]]
        if sets != [("PRIMARY", "STEADY_STATE")]:
            found.append(f"task sets {sets}")
        return found


def _appspec(definition: str, hooks: dict[str, str]) -> dict[str, Any]:
    properties = {
        "TaskDefinition": definition,
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": versions.PORT},
    }
    return {
        "version": 0.0,
        "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}],
        "Hooks": [{event: function} for event, function in hooks.items()],
    }


@contextlib.contextmanager
def opened(configuration: Configuration) -> Iterator[CodeDeploySite]:
    """A site on an engine of its own."""
    with two_groups.engine(configuration.speed) as engine:
        anybody = {"aws_access_key_id": "any", "aws_secret_access_key": "key"}
        setattr(engine, "client", functools.partial(engine.client, **anybody))  # noqa: B010
        yield CodeDeploySite(engine, configuration)
