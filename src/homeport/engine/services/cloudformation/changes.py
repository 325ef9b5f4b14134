"""What an update would do to each resource: Add, Modify or Remove, and whether it is replaced.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from homeport.engine.services.cloudformation.schemas import schema_of
from homeport.engine.services.cloudformation.values import contains_unknown

Replacement = Literal["True", "False", "Conditional"]


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One top-level property that differs, or that may once its value is known (`Dynamic`)."""

    name: str
    recreation: Literal["Always", "Conditionally", "Never"]
    evaluation: Literal["Static", "Dynamic"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource."""

    action: Literal["Add", "Modify", "Remove"]
    id: str
    type: str
    physical_id: str | None = None
    replacement: Replacement | None = None
    properties: tuple[PropertyChange, ...] = ()

    def described(self) -> dict[str, Any]:
        """As DescribeChangeSet shows it."""
        body: dict[str, Any] = {
            "Action": self.action,
            "LogicalResourceId": self.id,
            "ResourceType": self.type,
        }
        if self.physical_id:
            body["PhysicalResourceId"] = self.physical_id
        body["Scope"] = []
        body["Details"] = []
        if self.action == "Modify":
            names = [item.name for item in self.properties]
            body["Scope"] = sorted({"Tags" if name == "Tags" else "Properties" for name in names})
            body["Details"] = [_detail(item) for item in self.properties]
            body["Replacement"] = self.replacement
        return {"Type": "Resource", "ResourceChange": body}


def compare(type: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[PropertyChange, ...]:
    """The top-level properties in which two evaluated resources of a type differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return tuple(
        PropertyChange(
            name, _recreation(type, name), "Dynamic" if contains_unknown(after.get(name)) else "Static"
        )
        for name in sorted(names)
    )


def replacement(changes: tuple[PropertyChange, ...]) -> Replacement:
    """Whether those changes replace the resource."""
    if any(item.recreation == "Always" and item.evaluation == "Static" for item in changes):
        return "True"
    if any(item.recreation != "Never" for item in changes):
        return "Conditional"
    return "False"


def replaces(type: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether going from one state of known values to the other replaces the resource."""
    return any(item.recreation == "Always" for item in compare(type, before, after))


def _recreation(type: str, name: str) -> Literal["Always", "Conditionally", "Never"]:
    schema = schema_of(type)
    if schema and name in schema.create_only:
        return "Always"
    if schema and name in schema.conditional_create_only:
        return "Conditionally"
    return "Never"


def _detail(change: PropertyChange) -> dict[str, Any]:
    target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
    if change.name != "Tags":
        target = {"Attribute": "Properties", "Name": change.name, "RequiresRecreation": change.recreation}
    return {"Target": target, "Evaluation": change.evaluation, "ChangeSource": "DirectModification"}
