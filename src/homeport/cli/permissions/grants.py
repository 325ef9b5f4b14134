"""What a role is granted: its inline policies and the managed ones that are attached, read by IAM's API."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a role. AWS's own managed policies cannot be changed, only detached."""

    name: str
    statements: list[dict[str, Any]]
    managed: bool = False


def of_role(iam: Any, role: str) -> list[Policy]:
    """The policies of a role."""
    found = [
        Policy(name, _statements(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]))
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=role)
        for name in page["PolicyNames"]
    ]
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            found.append(Policy(attached["PolicyName"], _statements(document), managed=True))
    return found


def actions(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement that allows; none of one that denies or that lists what it does not allow."""
    return _listed(statement.get("Action", [])) if statement["Effect"] == "Allow" else []


def covers(granted: str, action: str) -> bool:
    """Whether `ecr:*` or `ecr:PutImage` grants the action; case does not count."""
    return fnmatchcase(action.lower(), granted.lower().replace("[", "[[]"))


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    return _listed(document.get("Statement", []))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
