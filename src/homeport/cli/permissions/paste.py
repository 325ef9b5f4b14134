"""A tighter policy as what to change: the difference, and the lines of homeport.yml that make it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from homeport.cli.permissions.grants import Policy
from homeport.cli.project import parse_template

_OWN = {("TaskRole", "application"): "service", ("BuildRole", "builds"): "build"}
"""Policies that `permissions` of homeport.yml make, and under which key."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stack's roles are written down."""

    template: dict[str, Any]
    account: str
    region: str

    @classmethod
    def of(cls, cloudformation: Any, stack: str) -> Source:
        """The template that the stack was deployed from."""
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        arn = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"].split(":")
        return cls(parse_template(body) if isinstance(body, str) else body, account=arn[4], region=arn[3])

    @property
    def is_homeports(self) -> bool:
        """Whether homeport.yml made it."""
        return str(self.template.get("Description", "")).endswith("made from homeport.yml")


def difference(policy: Policy, tighter: dict[str, Any] | None) -> list[str]:
    """The lines of a unified diff, from the policy to the tighter one."""
    before = {"Version": "2012-10-17", "Statement": policy.statements}
    old, new = (json.dumps(each, indent=2).splitlines() if each else [] for each in (before, tighter))
    return list(difflib.unified_diff(old, new, policy.name, f"{policy.name}, tighter", n=2, lineterm=""))


def lines(source: Source, role: str, policy: Policy, parts: list[list[dict[str, Any]]]) -> str | None:
    """What to write in homeport.yml for a role's policy, of whose statements `parts` are left; None where the template
    is not homeport's, or does not hold the policy."""
    known = source.template["Resources"].get(role, {}).get("Properties", {}).get("Policies") or []
    at = next((at for at, each in enumerate(known) if each["PolicyName"] == policy.name), None)
    if not source.is_homeports or at is None:
        return None
    if key := _OWN.get((role, policy.name)):
        given = [
            {"actions": _listed(each["Action"]), "resources": _listed(each["Resource"])}
            for part in parts
            for each in part
        ]
        return _yaml({key: {"permissions": given}})
    written = known[at]["PolicyDocument"]["Statement"]
    path = f"Resources.{role}.Properties.Policies.{at}"
    statements = list(_as_written(source, policy.statements, written, parts))
    patch = {f"{path}.PolicyDocument.Statement": statements} if statements else {path: None}
    return _yaml({"override": {"patch": patch}})


def _as_written(
    source: Source,
    granted: list[dict[str, Any]],
    written: list[dict[str, Any]],
    parts: list[list[dict[str, Any]]],
) -> Iterator[dict[str, Any]]:
    """The statements with the template's own references where their resources stay, else without this account and
    region."""
    for before, template, part in zip(granted, written, parts, strict=True):
        for each in part:
            stays = each["Resource"] == before["Resource"]
            yield {
                **template,
                "Action": each["Action"],
                "Resource": template["Resource"]
                if stays
                else [_portable(source, one) for one in each["Resource"]],
            }


def _portable(source: Source, arn: str) -> Any:
    text = arn.replace("${", "${!")
    for value, name in ((source.account, "AccountId"), (source.region, "Region")):
        text = text.replace(f":{value}:", f":${{AWS::{name}}}:")
    return {"Fn::Sub": text} if text != arn else arn


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _yaml(body: dict[str, Any]) -> str:
    return yaml.safe_dump(body, sort_keys=False, width=1000)
