"""A pipeline and what belongs to it: its services, build projects, image repositories, alarms, and its stack."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from botocore.exceptions import ClientError

from homeport.cli import codedeploy, deployments
from homeport.cli.failures import sentence
from homeport.cli.target import Target, TargetName

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")


_LOGGED_OUT = ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")


class Refusals(list[str]):
    """What could not be looked at, in sentences."""

    def ask(self, otherwise: D, read: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T | D:
        """What `read` returns; `otherwise` when AWS refuses it, which is noted: the rest is still shown. Raises what
        says that the target is gone."""
        try:
            return read(*arguments, **options)
        except ClientError as error:
            if is_logged_out(error):
                raise
            said = sentence(error) or str(error)
            if said not in self:
                self.append(said)
            return otherwise


def is_logged_out(error: ClientError) -> bool:
    """Whether nothing is answered any more, as the caller's login has ended."""
    return error.response["Error"]["Code"] in _LOGGED_OUT


class Delivery:
    """A pipeline, and what panels share of it. What rarely changes is asked for rarely."""

    def __init__(self, target: Target, name: str) -> None:
        self.target = target
        self.name = name
        self.is_local = target.name is TargetName.local
        self.ended: dict[str, Any] = {}
        """What has ended and does not change any more: executions and builds."""
        self._kept: dict[str, tuple[float, Any]] = {}

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.target.client(service)

    def kept(self, key: str, seconds: float, read: Callable[[], T]) -> T:
        """What was read less than `seconds` ago; on AWS, five times as long ago."""
        until, value = self._kept.get(key, (0.0, None))
        if time.monotonic() >= until:
            value = read()
            self._kept[key] = (time.monotonic() + seconds * (1 if self.is_local else 5), value)
        return value

    @property
    def declared(self) -> dict[str, Any]:
        """The pipeline's declaration."""
        client = self.client("codepipeline")
        return self.kept("declared", 30, lambda: client.get_pipeline(name=self.name)["pipeline"])

    @property
    def services(self) -> list[tuple[str, str]]:
        """Cluster and name of the services that it deploys to, by ECS or by CodeDeploy."""
        return list(dict.fromkeys([*deployments.services_of(self.declared), *self.groups]))

    @property
    def groups(self) -> dict[tuple[str, str], tuple[str, str]]:
        """CodeDeploy's applications and deployment groups, by the services that they deploy to."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for group in codedeploy.groups_of(self.declared):
            read = functools.partial(codedeploy.services_of, self.client("codedeploy"), *group)
            found |= dict.fromkeys(self.kept(f"services of {group}", 30, read), group)
        return found

    @property
    def projects(self) -> list[str]:
        """The build projects of its actions."""
        actions = [action for stage in self.declared["stages"] for action in stage["actions"]]
        named = [each.get("configuration", {}).get("ProjectName") for each in actions]
        return list(dict.fromkeys(each for each in named if each))

    @property
    def stack(self) -> str | None:
        """The stack that made the pipeline; None when none did."""
        return self.kept("stack", 60, self._stack)

    def of_stack(self, kind: str) -> list[str]:
        """The physical ids of the stack's resources of a type; none without a stack."""
        found = self.kept("resources", 60, self._resources)
        return [each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind]

    def logical(self, name: str) -> str:
        """The name that the template gives to what AWS calls so; empty for what is not of the stack, or not known to
        be, or when several are called so. An ARN is known by its last part, too."""
        _, resources = self._kept.get("resources", (0.0, []))
        last = name.rpartition("/")[2]
        found = [each for each in resources if each["PhysicalResourceId"].rpartition("/")[2] in (name, last)]
        return str(found[0]["LogicalResourceId"]) if len(found) == 1 else ""

    def _stack(self) -> str | None:
        try:
            found = self.client("cloudformation").describe_stack_resources(PhysicalResourceId=self.name)
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        pipelines = [
            each
            for each in found["StackResources"]
            if each["ResourceType"] == "AWS::CodePipeline::Pipeline"
            and each.get("PhysicalResourceId") == self.name
        ]
        return pipelines[0]["StackName"] if pipelines else None

    def _resources(self) -> list[dict[str, Any]]:
        if self.stack is None:
            return []
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return [
            each
            for page in pages.paginate(StackName=self.stack)
            for each in page["StackResourceSummaries"]
            if each.get("PhysicalResourceId")
        ]
