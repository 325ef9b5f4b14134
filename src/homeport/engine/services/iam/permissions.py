"""All policies of a principal, gathered from IAM's tables and parsed once until one of them changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from homeport.engine.services.iam import tables
from homeport.engine.services.iam.evaluation import Attached
from homeport.engine.services.iam.lookup import managed_document
from homeport.engine.services.iam.policies import parse_policy
from homeport.engine.store.database import Place, Scope, Store
from homeport.engine.wire.principal import Principal


@dataclass(frozen=True, slots=True)
class Permissions:
    """Identity-based policies and boundary of a user or role, the condition keys they ask for, its tags."""

    identity: tuple[Attached, ...] = ()
    boundary: tuple[Attached, ...] | None = None
    keys: frozenset[str] = frozenset()
    tags: dict[str, str] = field(default_factory=dict)
    id: str = ""


class PermissionBook:
    """Looks permissions up; what it has read stays valid until IAM's number of changes is another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number: int | None = None
        self._known: dict[tuple[str, str, str], Permissions | None] = {}

    def of(self, principal: Principal) -> Permissions:
        """The permissions of a principal: those of its role or user. None of them if that is gone."""
        entity, name = holder(principal)
        if not entity:
            return Permissions()
        found = self.of_entity(principal.account, entity, name)
        if found is None or found.id != _holder_id(principal):
            return Permissions()
        return found

    def of_entity(self, account: str, entity: str, name: str) -> Permissions | None:
        """The permissions of a user, group or role by name; None when there is none of this name."""
        rows = self._store.execute("SELECT number FROM iam_changes")
        number = rows[0]["number"] if rows else None
        if number != self._number:
            self._known.clear()
            self._number = number
        key = (account, entity, name)
        if key not in self._known:
            self._known[key] = _read(Place(self._store, Scope(account, tables.GLOBAL)), entity, name)
        return self._known[key]


def holder(principal: Principal) -> tuple[str, str]:
    """Whose policies a principal has: `("role", name)`, `("user", name)`, or `("", "")`."""
    if principal.issuer:
        return "role", principal.issuer.rpartition("/")[2]
    if principal.type == "User":
        return "user", principal.arn.rpartition("/")[2]
    if principal.type == "FederatedUser":
        return "user", principal.session_context.get("user", "")
    return "", ""


def attached_entity_policies(at: Place, entity: str, name: str, arn: str) -> Iterator[Attached]:
    """The policies of one user, group or role: inline ones, then attached ones."""
    for body in tables.INLINE.list(at, entity, name):
        yield Attached(f"{arn}/{body['PolicyName']}", parse_policy(body["PolicyDocument"]))
    for body in tables.ATTACHMENTS.list(at, entity, name):
        document = managed_document(at, body["PolicyArn"])
        if document is not None:
            yield Attached(body["PolicyArn"], parse_policy(document))


_TABLES = {"user": tables.USERS, "group": tables.GROUPS, "role": tables.ROLES}
_IDS = {"user": "UserId", "group": "GroupId", "role": "RoleId"}


def _holder_id(principal: Principal) -> str:
    if principal.type == "FederatedUser":
        return principal.session_context.get("user_id", "")
    return principal.id.partition(":")[0]


def _read(at: Place, entity: str, name: str) -> Permissions | None:
    body = _TABLES[entity].get(at, name)
    if body is None:
        return None
    identity = list(attached_entity_policies(at, entity, name, body["Arn"]))
    if entity == "user":
        for membership in tables.MEMBERSHIPS.list(at, UserName=name):
            group = tables.GROUPS.get(at, membership["GroupName"])
            if group:
                identity += attached_entity_policies(at, "group", group["GroupName"], group["Arn"])
    boundary = _boundary(at, body)
    keys = frozenset(key for one in (*identity, *(boundary or ())) for key in one.policy.condition_keys)
    tags = {tag["Key"]: tag["Value"] for tag in body.get("Tags") or ()}
    return Permissions(tuple(identity), boundary, keys, tags, body[_IDS[entity]])


def _boundary(at: Place, body: dict[str, Any]) -> tuple[Attached, ...] | None:
    arn = (body.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    if arn is None:
        return None
    document = managed_document(at, arn)
    return (Attached(arn, parse_policy(document)),) if document is not None else ()
