"""Repository policies: checked when they are set, read by IAM on every call and every pull and push.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.tables import REPOSITORIES
from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError


async def repository_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy of the repository with this ARN, for IAM. Its statements name no resource: they mean the
    repository itself."""
    parts = arn.split(":", 5)
    kind, _, name = parts[-1].partition("/")
    if len(parts) != 6 or kind != "repository":
        return None
    row = REPOSITORIES.get(ctx.within(Scope(parts[4], parts[3])), name)
    if row is None or not row.get("policyText"):
        return None
    policy = json.loads(row["policyText"])
    statements = [{"Resource": "*", **statement} for statement in _statements(policy)]
    return policy | {"Statement": statements}


def check_policy(text: str, what: str) -> None:
    """Raise InvalidParameterException for what is not a policy document. `what` is "repository" or "registry"."""
    try:
        policy = json.loads(text)
        good = isinstance(policy, dict) and all(map(_is_statement, _statements(policy)))
        parse_policy(text, PolicyKind.RESOURCE)
    except (ValueError, KeyError, MalformedPolicy):
        good = False
    if not good:
        raise AwsError(
            "InvalidParameterException",
            f"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid {what} policy provided'",
        )


def _statements(policy: dict[str, Any]) -> list[Any]:
    statements = policy["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _is_statement(statement: Any) -> bool:
    return (
        isinstance(statement, dict)
        and statement.get("Effect") in ("Allow", "Deny")
        and ("Action" in statement) != ("NotAction" in statement)
        and ("Principal" in statement) != ("NotPrincipal" in statement)
    )
