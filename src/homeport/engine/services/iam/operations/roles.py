"""Roles and their trust policies. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import (
    ROLE,
    Body,
    checked_document,
    checked_tags,
    encoded,
    listed,
    without,
)
from homeport.engine.services.iam.operations.boundaries import boundary_of
from homeport.engine.services.iam.policies import PolicyKind
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


@operation
async def create_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    if (request.get("Path") or "/").startswith("/aws-service-role/"):
        raise AwsError(
            "ValidationError",
            "A Role can't be created with the path /aws-service-role/: use CreateServiceLinkedRole.",
        )
    role = ROLE.create(
        at,
        request["RoleName"],
        request.get("Path"),
        AssumeRolePolicyDocument=checked_trust(at, request["AssumeRolePolicyDocument"]),
        Description=request.get("Description"),
        MaxSessionDuration=request.get("MaxSessionDuration") or 3600,
        PermissionsBoundary=boundary_of(at, request.get("PermissionsBoundary")),
        Tags=checked_tags(request.get("Tags")) or None,
    )
    tables.ROLES.put(at, role)
    return {"Role": encoded(role)}


@operation
async def get_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    role = ROLE.get(tables.everywhere(ctx), request["RoleName"])
    return {"Role": {**encoded(role), "RoleLastUsed": role.get("RoleLastUsed", {})}}


@operation
async def list_roles(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    roles = tables.ROLES.list(tables.everywhere(ctx))
    return listed("Roles", roles, request, lambda role: role["RoleName"], _summary)


@operation
async def update_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Of a service-linked role the description alone may be edited.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"""
    at = tables.everywhere(ctx)
    find = _changeable if "MaxSessionDuration" in request else ROLE.get
    role = find(at, request["RoleName"])
    for member in ("Description", "MaxSessionDuration"):
        if member in request:
            role[member] = request[member]
    tables.ROLES.put(at, role)
    return {}


@operation
async def update_role_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    role = ROLE.get(at, request["RoleName"]) | {"Description": request["Description"]}
    tables.ROLES.put(at, role)
    return {"Role": encoded(role)}


@operation
async def update_assume_role_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    role = _changeable(at, request["RoleName"])
    role["AssumeRolePolicyDocument"] = checked_trust(at, request["PolicyDocument"])
    tables.ROLES.put(at, role)
    return {}


@operation
async def delete_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    name = _changeable(at, request["RoleName"])["RoleName"]
    in_profiles = [profile for profile in tables.INSTANCE_PROFILES.list(at) if name in profile["RoleNames"]]
    for items, first in (
        (in_profiles, "must remove roles from instance profile first"),
        (tables.ATTACHMENTS.list(at, "role", name), "must detach all policies first"),
        (tables.INLINE.list(at, "role", name), "must delete policies first"),
    ):
        if items:
            raise AwsError("DeleteConflict", f"Cannot delete entity, {first}.")
    tables.ROLES.delete(at, name)
    return {}


def checked_trust(at: At, document: str) -> str:
    """A trust policy, if IAM takes it: the users and roles of this account that it names must exist."""
    checked_document(document, PolicyKind.TRUST)
    for arn in _named(json.loads(document)):
        _, _, vendor, _, account, path = (arn.split(":", 5) + [""] * 6)[:6]
        kind, _, rest = path.partition("/")
        table = {"role": tables.ROLES, "user": tables.USERS}.get(kind) if vendor == "iam" else None
        if table is None or account != at.scope.account:
            continue
        found = table.get(at, rest.rpartition("/")[2])
        if found is None or found["Arn"] != arn:
            raise AwsError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')
    return document


def _named(document: Body) -> Iterator[str]:
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal") or statement.get("NotPrincipal")
        if isinstance(principal, dict):
            names = principal.get("AWS", [])
            yield from (name for name in (names if isinstance(names, list) else [names]) if ":" in name)


def _changeable(at: At, name: str) -> Body:
    role = ROLE.get(at, name)
    if role["Path"].startswith("/aws-service-role/"):
        raise AwsError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS",
        )
    return role


def _summary(role: Body) -> Body:
    return without(encoded(role), "Tags", "PermissionsBoundary", "RoleLastUsed")
