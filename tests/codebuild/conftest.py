"""What tests of builds need: a role, a project, and waiting."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine

Permissions = list[dict[str, Any]]
EVERYTHING: Permissions = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


class Builds:
    """CodeBuild of one engine, as tests use it."""

    def __init__(self, engine: RunningEngine) -> None:
        self.engine = engine

    @property
    def client(self) -> Any:
        return self.engine.client("codebuild")

    def role(self, statements: Permissions = EVERYTHING, name: str = "build") -> str:
        """A role that CodeBuild may assume."""
        iam = self.engine.client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "codebuild.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        document = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(RoleName=name, PolicyName="build", PolicyDocument=json.dumps(document))
        return str(role["Arn"])

    def project(self, name: str, role: str, buildspec: str = "", **settings: Any) -> None:
        """A project without sources, unless the settings say otherwise."""
        environment = {
            "type": "LINUX_CONTAINER",
            "image": "homeport/build:bookworm",
            "computeType": "BUILD_GENERAL1_SMALL",
            **settings.pop("environment", {}),
        }
        given = {
            "source": {"type": "NO_SOURCE", "buildspec": buildspec},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "serviceRole": role,
            **settings,
        }
        self.client.create_project(name=name, environment=environment, **given)

    def start(self, project: str, **request: Any) -> str:
        """Start a build and return its id."""
        return str(self.client.start_build(projectName=project, **request)["build"]["id"])

    def get(self, id: str) -> dict[str, Any]:
        """The build."""
        (build,) = self.client.batch_get_builds(ids=[id])["builds"]
        return dict(build)

    def wait(
        self, id: str, seconds: float = 60, until: Callable[[dict[str, Any]], bool] | None = None
    ) -> dict[str, Any]:
        """The build, once it is complete (or as it is wanted)."""
        deadline = time.monotonic() + seconds
        wanted = until or (lambda build: bool(build["buildComplete"]))
        while not wanted(build := self.get(id)):
            assert time.monotonic() < deadline, build
            time.sleep(0.05)
        return build

    def run(self, project: str, **request: Any) -> dict[str, Any]:
        """Start a build and wait for its end."""
        return self.wait(self.start(project, **request))

    def log(self, build: dict[str, Any]) -> list[str]:
        """The lines of its log in CloudWatch Logs."""
        logs = self.engine.client("logs")
        place = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
        lines: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = logs.get_log_events(**place, startFromHead=True, **token)
            lines += [event["message"].removesuffix("\n") for event in answer["events"]]
            if token == {"nextToken": answer["nextForwardToken"]}:
                return lines
            token = {"nextToken": answer["nextForwardToken"]}


def output(log: list[str]) -> list[str]:
    """What the commands wrote."""
    return [line for line in log if not line.startswith("[Container] ")]


@pytest.fixture
def builds(engine: RunningEngine) -> Builds:
    """CodeBuild of an empty engine."""
    return Builds(engine)
