"""Managed policies, the account's own and AWS's, by ARN."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.iam import managed, tables
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


def managed_policy(at: At, arn: str) -> dict[str, Any]:
    """The policy, without its document. Raises NoSuchEntity, InvalidInput."""
    if not arn.startswith("arn:"):
        raise AwsError("InvalidInput", f"ARN {arn} is not valid.")
    body = managed.policies().get(arn) if arn.startswith(managed.PREFIX) else tables.POLICIES.get(at, arn)
    if body is None:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    return body


def managed_document(at: At, arn: str) -> str | None:
    """The document of a policy's default version; None when there is no such policy."""
    if arn.startswith(managed.PREFIX):
        return managed.document(arn) if arn in managed.policies() else None
    policy = tables.POLICIES.get(at, arn)
    if policy is None:
        return None
    return next(
        version["Document"]
        for version in policy["Versions"]
        if version["VersionId"] == policy["DefaultVersionId"]
    )
