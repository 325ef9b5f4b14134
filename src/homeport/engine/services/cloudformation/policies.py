"""Stack policies: which resources an update may touch.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from homeport.engine.services.cloudformation.errors import invalid


def read_policy(request: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The stack policy in a request's `<name>Body`, None when there is none. Raises ValidationError."""
    if f"{name}URL" in request:
        raise invalid(f"{name}URL is not supported by homeport: pass the policy as {name}Body.")
    text = request.get(f"{name}Body")
    if not text:
        return None
    try:
        policy = json.loads(text)
        statements = policy["Statement"]
    except (ValueError, KeyError, TypeError):
        raise invalid(f"Error validating stack policy: Invalid stack policy in {name}Body") from None
    for statement in statements:
        if statement.get("Effect") not in ("Allow", "Deny") or statement.get("Principal") != "*":
            raise invalid("Error validating stack policy: Invalid stack policy")
    return policy


def allows(policy: Mapping[str, Any] | None, action: str, id: str, type: str) -> bool:
    """Whether a policy lets an update do this to a resource. Without a policy everything is allowed; with one, what
    no statement allows is denied."""
    if policy is None:
        return True
    effects = {item["Effect"] for item in policy["Statement"] if _applies(item, action, id, type)}
    return "Allow" in effects and "Deny" not in effects


def denied_by_policy(stack: Mapping[str, Any], action: str, row: Mapping[str, Any]) -> str | None:
    """The reason why a stack's policy forbids an update to do this to a resource; None when it may."""
    policy = stack.get("policy_during_update") or stack.get("policy")
    id = row["LogicalResourceId"]
    if allows(policy, action, id, row["ResourceType"]):
        return None
    return (
        f"Action denied by stack policy: no statement allows [{action}] for resource [LogicalResourceId/{id}]"
    )


def _applies(statement: Mapping[str, Any], action: str, id: str, type: str) -> bool:
    resource = f"LogicalResourceId/{id}"
    if "Action" in statement:
        fits = _any(statement["Action"], action)
    else:
        fits = not _any(statement.get("NotAction", ()), action)
    if "Resource" in statement:
        fits = fits and _any(statement["Resource"], resource)
    elif "NotResource" in statement:
        fits = fits and not _any(statement["NotResource"], resource)
    for operator, keys in statement.get("Condition", {}).items():
        types = keys.get("ResourceType", ())
        matched = _any(types, type) if operator == "StringLike" else type in _listed(types)
        fits = fits and matched
    return fits


def _any(patterns: Any, value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in _listed(patterns))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
