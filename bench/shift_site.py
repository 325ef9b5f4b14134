"""A service `web` whose deployments ECS itself shifts from version to version."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench import two_groups, versions
from bench.two_groups import TASKS, TwoGroups
from bench.watching import Look
from tests.lambda_ import functions

RUNNING = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_INVOKER = "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"
_HOOK = """
def handler(event, context):
    told = event["executionDetails"]
    shifted = told["testTrafficWeights"] or told["productionTrafficWeights"]
    back = shifted.get(told["targetServiceRevisionArn"]) == 0
    if back and event["lifecycleStage"] in ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"):
        return {"hookStatus": "SUCCEEDED"}
    return {"hookStatus": event["hookDetails"]["answer"], "callBackDelay": 5}
"""
"""Answers as it is told to, but lets rollbacks go on."""


class Configuration(NamedTuple):
    """A deployment configuration; `speed` is that of the clock which makes its waits bearable."""

    settings: dict[str, Any]
    speed: float

    @property
    def waits(self) -> float:
        """The sum of its waits, in seconds of the engine's clock."""
        minutes = self.settings.get("bakeTimeInMinutes", 0)
        canary, linear = (self.settings.get(f"{kind}Configuration") for kind in ("canary", "linear"))
        if canary and canary["canaryPercent"] < 100:
            minutes += canary["canaryBakeTimeInMinutes"]
        if linear:
            steps = -(-1000 // round(linear["stepPercent"] * 10))
            minutes += linear["stepBakeTimeInMinutes"] * (steps - 1)
        return float(minutes * 60)


class ShiftSite(TwoGroups):
    """The service runs `version`, deployed by that configuration."""

    def __init__(self, engine: Any, configuration: Configuration) -> None:
        super().__init__(engine, "ecs.amazonaws.com", "AmazonECSInfrastructureRolePolicyForLoadBalancers")
        functions.role(engine)
        self._function = functions.create(engine, _HOOK, "hook")
        self._invoker = functions.role(engine, "invoker", "ecs.amazonaws.com", _INVOKER)
        self.configuration = configuration
        self.version = "v0"
        self._create()

    def _create(self) -> None:
        advanced = {
            "alternateTargetGroupArn": self.groups[1],
            "productionListenerRule": self.rules[0],
            "testListenerRule": self.rules[1],
            "roleArn": self.role,
        }
        target = {"targetGroupArn": self.groups[0], "containerName": "app", "containerPort": versions.PORT}
        self.ecs.create_service(
            serviceName="web",
            taskDefinition=self.define(self.version),
            desiredCount=TASKS,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            loadBalancers=[{**target, "advancedConfiguration": advanced}],
            deploymentConfiguration=self.configuration.settings,
        )
        deadline = time.monotonic() + 120
        while self.look().runs:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the service was not made: {self.deployment()}")
            time.sleep(0.1)

    def deploy(self, definition: str, **settings: Any) -> None:
        """Begin to deploy a version, with settings that are only this deployment's."""
        plain: dict[str, Any] = {
            "lifecycleHooks": [],
            "alarms": {"alarmNames": [], "enable": False, "rollback": False},
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        }
        self.ecs.update_service(
            service="web",
            taskDefinition=definition,
            deploymentConfiguration={**self.configuration.settings, **plain, **settings},
        )

    def hook(self, stage: str, answer: str) -> dict[str, Any]:
        """A lifecycle hook whose function answers so: SUCCEEDED, FAILED or IN_PROGRESS."""
        return {
            "hookTargetArn": self._function,
            "roleArn": self._invoker,
            "lifecycleStages": [stage],
            "hookDetails": {"answer": answer},
        }

    def deployment(self) -> dict[str, Any]:
        """The newest service deployment."""
        arn = self.ecs.list_service_deployments(service="web")["serviceDeployments"][0][
            "serviceDeploymentArn"
        ]
        answer = self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        found: dict[str, Any] = answer["serviceDeployments"][0]
        return found

    def look(self) -> Look:
        """How the newest service deployment is."""
        found = self.deployment()
        percent = found["targetServiceRevision"]["requestedProductionTrafficWeight"]
        status = found["status"]
        return Look(
            found["lifecycleStage"], percent, status, found.get("statusReason", ""), status in RUNNING
        )

    def stop(self, kind: str) -> None:
        """Stop it as a person does: ROLLBACK or ABORT."""
        arn = self.deployment()["serviceDeploymentArn"]
        self.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType=kind)

    def leftovers(self, version: str) -> list[str]:
        """What is not as it should be when only `version` is there; the service's own words among it."""
        found = super().leftovers(version)
        service = self.ecs.describe_services(services=["web"])["services"][0]
        states = [(each["status"], each["rolloutState"]) for each in service["deployments"]]
        if states != [("PRIMARY", "COMPLETED")]:
            found.append(f"deployments {states}")
        if (service["runningCount"], service["pendingCount"]) != (TASKS, 0):
            found.append(f"{service['runningCount']} running, {service['pendingCount']} pending")
        return found


@contextlib.contextmanager
def opened(configuration: Configuration) -> Iterator[ShiftSite]:
    """A site on an engine of its own."""
    with two_groups.engine(configuration.speed) as engine:
        yield ShiftSite(engine, configuration)
