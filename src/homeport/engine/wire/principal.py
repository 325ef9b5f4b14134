"""Who makes a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

PrincipalType = Literal["Root", "User", "AssumedRole", "FederatedUser", "Service", "Anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """`arn` as GetCallerIdentity tells it, `id` the unique id (`AIDA…`, `AROA…:session`). For an assumed role
    `issuer` is the role's ARN; for a service `arn` is its principal (`ecs.amazonaws.com`)."""

    type: PrincipalType
    account: str
    arn: str
    id: str
    access_key_id: str | None = None
    issuer: str | None = None
    session_policies: tuple[str, ...] = ()
    session_tags: dict[str, str] = field(default_factory=dict)
    session_context: dict[str, Any] = field(default_factory=dict)


ANONYMOUS = Principal("Anonymous", "anonymous", "anonymous", "anonymous")


def root(account: str, access_key_id: str | None = None) -> Principal:
    """The account's root user."""
    return Principal("Root", account, f"arn:aws:iam::{account}:root", account, access_key_id)


def service(name: str, account: str) -> Principal:
    """An AWS service that acts by its own power, as through a service-linked role."""
    return Principal("Service", account, f"{name}.amazonaws.com", f"{name}.amazonaws.com")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request was signed with, and who that is."""

    access_key_id: str
    secret: str
    principal: Principal
