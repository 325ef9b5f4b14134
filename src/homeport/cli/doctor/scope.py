"""What the checks look at: everything in the region, or what belongs to one stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from homeport.cli import stacks
from homeport.cli.pipelines import Action, latest, read
from homeport.cli.target import Target


@dataclass(frozen=True)
class Scope:
    """A target, and the stack that is looked at; None for all."""

    target: Target
    stack: str | None = None

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.target.client(service)

    def holds(self, kind: str, physical_id: str) -> bool:
        """Whether a resource of a type is looked at."""
        return self.stack is None or physical_id in self._of_stack(kind)

    @cached_property
    def pipelines(self) -> list[dict[str, Any]]:
        """The declarations of the pipelines."""
        client = self.client("codepipeline")
        names = [
            each["name"]
            for page in client.get_paginator("list_pipelines").paginate()
            for each in page["pipelines"]
            if self.holds("AWS::CodePipeline::Pipeline", each["name"])
        ]
        return [client.get_pipeline(name=name)["pipeline"] for name in names]

    @cached_property
    def failures(self) -> list[tuple[dict[str, Any], Action]]:
        """The pipelines whose newest execution failed, and the action that did."""
        client = self.client("codepipeline")
        found = []
        for pipeline in self.pipelines:
            newest = latest(client, pipeline["name"])
            failed = read(client, pipeline["name"], newest).failure if newest else None
            if failed:
                found.append((pipeline, failed))
        return found

    @cached_property
    def roles(self) -> dict[str, str]:
        """The roles of the stack (of all stacks) by their physical names: their logical ids."""
        cloudformation = self.client("cloudformation")
        pages = cloudformation.get_paginator("describe_stacks").paginate()
        every = (
            [self.stack] if self.stack else [each["StackName"] for page in pages for each in page["Stacks"]]
        )
        found: dict[str, str] = {}
        for name in every:
            found |= stacks.resources(cloudformation, name, "AWS::IAM::Role")
        return found

    @cached_property
    def _resources(self) -> dict[str, set[str]]:
        assert self.stack
        found: dict[str, set[str]] = {}
        pages = (
            self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack)
        )
        for page in pages:
            for each in page["StackResourceSummaries"]:
                found.setdefault(each["ResourceType"], set()).add(each.get("PhysicalResourceId", ""))
        return found

    def _of_stack(self, kind: str) -> set[str]:
        return self._resources.get(kind, set())
