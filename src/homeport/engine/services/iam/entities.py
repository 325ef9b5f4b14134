"""Users, groups, roles and their kin: found, named, identified, listed; the words of IAM's errors.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.policies import MalformedPolicy, PolicyKind, parse_policy
from homeport.engine.services.pagination import page
from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: its table, the member that names it, its word, the path in its ARN, its ids' prefix."""

    table: Table
    name: str
    noun: str
    path: str
    prefix: str

    def get(self, at: At, name: str) -> Body:
        """The entity of this name. Raises NoSuchEntity."""
        body = self.table.get(at, name)
        if body is None:
            raise AwsError("NoSuchEntity", f"The {self.noun.lower()} with name {name} cannot be found.")
        return body

    def create(self, ctx: Context, name: str, path: str | None, **members: Any) -> Body:
        """A new entity, with id, ARN and date; not yet stored. Raises EntityAlreadyExists, ValidationError."""
        if any(known.lower() == name.lower() for known in self._names(ctx)):
            raise AwsError("EntityAlreadyExists", f"{self.noun} with name {name} already exists.")
        body = {
            "Path": path or "/",
            self.name: name,
            f"{self.name.removesuffix('Name')}Id": new_id(self.prefix),
            "Arn": ctx.arn(f"{self.path}{path or '/'}{name}", service="iam", region=""),
            "CreateDate": float(int(ctx.now())),
        }
        return body | {key: value for key, value in members.items() if value is not None}

    def _names(self, at: At) -> Iterable[str]:
        return (body[self.name] for body in self.table.list(at))


USER = Kind(tables.USERS, "UserName", "User", "user", "AIDA")
GROUP = Kind(tables.GROUPS, "GroupName", "Group", "group", "AGPA")
ROLE = Kind(tables.ROLES, "RoleName", "Role", "role", "AROA")
INSTANCE_PROFILE = Kind(
    tables.INSTANCE_PROFILES, "InstanceProfileName", "Instance Profile", "instance-profile", "AIPA"
)
SERVER_CERTIFICATE = Kind(
    tables.SERVER_CERTIFICATES, "ServerCertificateName", "Server Certificate", "server-certificate", "ASCA"
)

KINDS = {"user": USER, "group": GROUP, "role": ROLE}


def new_id(prefix: str) -> str:
    """A unique id such as `AROA…`: prefix and 17 letters."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(17))


def listed(
    key: str,
    items: list[Body],
    request: dict[str, Any],
    sort: Callable[[Body], Any],
    view: Callable[[Body], Any] = lambda body: body,
) -> Body:
    """One page of a list operation: `{key: items, IsTruncated, Marker}`."""
    prefix = request.get("PathPrefix") or "/"
    found = sorted((body for body in items if body.get("Path", "/").startswith(prefix)), key=sort)
    chunk, marker = page(
        found, request.get("MaxItems") or 100, request.get("Marker"), sort, error="ValidationError"
    )
    answer: Body = {key: [view(body) for body in chunk], "IsTruncated": marker is not None}
    return answer | ({"Marker": marker} if marker else {})


def without(body: Body, *members: str) -> Body:
    """The body without members that this answer does not show."""
    return {key: value for key, value in body.items() if key not in members}


def encoded(body: Body) -> Body:
    """The body as IAM shows it: policy documents are percent-encoded, as RFC 3986 has it."""
    shown = dict(body)
    for member in ("AssumeRolePolicyDocument", "PolicyDocument", "Document"):
        if member in shown:
            shown[member] = quote(shown[member], safe="")
    return shown


def checked_document(document: str, kind: PolicyKind = PolicyKind.IDENTITY) -> str:
    """The document, if IAM takes it. Raises MalformedPolicyDocument."""
    try:
        parse_policy(document, kind)
    except MalformedPolicy as complaint:
        raise AwsError("MalformedPolicyDocument", str(complaint)) from None
    return document


def checked_managed_document(document: str) -> str:
    """The document, if IAM takes it for a managed policy: those must state their version, inline policies need not.
    Raises MalformedPolicyDocument."""
    checked_document(document)
    if json.loads(document).get("Version") != "2012-10-17":
        raise AwsError("MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater.")
    return document


def checked_tags(tags: list[dict[str, str]] | None, known: Iterable[dict[str, str]] = ()) -> list[Body]:
    """The known tags with the given ones set, in order. Raises InvalidInput, LimitExceeded."""
    keys = [tag["Key"].lower() for tag in tags or []]
    if len(keys) != len(set(keys)):
        raise AwsError(
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )
    for tag in tags or []:
        if tag["Key"].lower().startswith("aws:"):
            raise AwsError("InvalidInput", "Tag keys that start with 'aws:' are reserved for AWS use.")
    merged = {tag["Key"].lower(): tag for tag in (*known, *(tags or []))}
    if len(merged) > 50:
        raise AwsError("LimitExceeded", "The number of tags has reached the maximum limit of 50.")
    return list(merged.values())
