"""Permissions boundaries of users and roles.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import ROLE, USER, Kind
from homeport.engine.services.iam.lookup import managed_policy
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


@operation
async def put_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _put(ctx, USER, request)


@operation
async def put_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _put(ctx, ROLE, request)


@operation
async def delete_user_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _delete(ctx, USER, request)


@operation
async def delete_role_permissions_boundary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return _delete(ctx, ROLE, request)


def boundary_of(at: At, arn: str | None) -> dict[str, Any] | None:
    """The member PermissionsBoundary for this policy. Raises NoSuchEntity."""
    if arn is None:
        return None
    managed_policy(at, arn)
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _put(ctx: Context, kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    entity = kind.get(at, request[kind.name])
    entity["PermissionsBoundary"] = boundary_of(at, request["PermissionsBoundary"])
    kind.table.put(at, entity)
    return {}


def _delete(ctx: Context, kind: Kind, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    entity = kind.get(at, request[kind.name])
    if entity.pop("PermissionsBoundary", None) is None:
        raise AwsError("NoSuchEntity", f"{kind.noun} {request[kind.name]} has no permissions boundary.")
    kind.table.put(at, entity)
    return {}
