"""Who a policy's Principal element means.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from enum import IntEnum

from homeport.engine.services.iam.patterns import text_pattern
from homeport.engine.services.iam.policies import Principals, Statement
from homeport.engine.wire.principal import Principal


class Grant(IntEnum):
    """How a resource's policy names the caller: the more exactly, the more an Allow is worth."""

    NONE = 0
    ACCOUNT = 1
    """The caller's account: its administrator decides, by identity-based policies."""
    ROLE = 2
    """The caller's role: boundaries and session policies still limit it."""
    DIRECT = 3
    """The user, the session itself, or everyone: nothing but an explicit deny limits it."""


def grant_of(statement: Statement, principal: Principal) -> Grant:
    """How the statement names the principal; NONE when it is about others."""
    if statement.principals is None:
        return Grant.NONE
    named = _named(statement.principals, principal)
    if not statement.except_principals:
        return named
    # Naming the account exempts its root user only, not everyone in it.
    return Grant.NONE if named >= Grant.ROLE else Grant.ROLE


def _named(principals: Principals, principal: Principal) -> Grant:
    names = principals.names
    if principal.type == "Service":
        served = any(
            text_pattern(name, wildcards=True).matches(principal.arn, {}) for name in names.get("Service", ())
        )
        return Grant.DIRECT if served or principals.everyone else Grant.NONE
    if principal.type == "FederatedUser" and principal.arn in names.get("Federated", ()):
        return Grant.DIRECT
    best = Grant.NONE
    for name in names.get("AWS", ()):
        best = max(best, _named_by(name, principal))
    return best


def _named_by(name: str, principal: Principal) -> Grant:
    if name == "*":
        return Grant.DIRECT
    if principal.type == "Anonymous":
        return Grant.NONE
    if name in (principal.arn, principal.id):
        return Grant.DIRECT
    if principal.issuer and name in (principal.issuer, principal.id.partition(":")[0]):
        return Grant.ROLE
    if name in (principal.account, f"arn:aws:iam::{principal.account}:root"):
        return Grant.DIRECT if principal.type == "Root" else Grant.ACCOUNT
    return Grant.NONE
