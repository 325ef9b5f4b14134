"""Users. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import USER, Body, checked_tags, listed, without
from homeport.engine.services.iam.operations.boundaries import boundary_of
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.create(
        at,
        request["UserName"],
        request.get("Path"),
        Tags=checked_tags(request.get("Tags")) or None,
        PermissionsBoundary=boundary_of(at, request.get("PermissionsBoundary")),
    )
    tables.USERS.put(at, user)
    return {"User": user}


@operation
async def get_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    name = request.get("UserName")
    if name is None and ctx.principal.type == "Root":
        return {
            "User": {
                "Path": "/",
                "UserName": "root",
                "UserId": ctx.account,
                "Arn": ctx.principal.arn,
                "CreateDate": 0.0,
            }
        }
    return {"User": USER.get(at, name or own_name(ctx))}


@operation
async def update_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.get(at, request["UserName"])
    name = request.get("NewUserName") or user["UserName"]
    if name != user["UserName"] and tables.USERS.get(at, name):
        raise AwsError("EntityAlreadyExists", f"User with name {name} already exists.")
    path = request.get("NewPath") or user["Path"]
    with at.store.transaction():
        tables.USERS.delete(at, user["UserName"])
        tables.USERS.put(
            at,
            user
            | {"UserName": name, "Path": path, "Arn": at.arn(f"user{path}{name}", service="iam", region="")},
        )
        for table in (tables.INLINE, tables.ATTACHMENTS):
            for body in table.list(at, "user", user["UserName"]):
                table.delete(at, *(body[field] for field in table.key))
                table.put(at, body | {"EntityName": name})
        for body in tables.ACCESS_KEYS.list(at, UserName=user["UserName"]):
            tables.ACCESS_KEYS.put(at, body | {"UserName": name})
        for body in tables.ACCOUNT.list(at, tables.login(user["UserName"])):
            tables.ACCOUNT.delete(at, body["Name"])
            tables.ACCOUNT.put(at, body | {"Name": tables.login(name), "UserName": name})
        for body in tables.MEMBERSHIPS.list(at, UserName=user["UserName"]):
            tables.MEMBERSHIPS.delete(at, body["GroupName"], body["UserName"])
            tables.MEMBERSHIPS.put(at, body | {"UserName": name})
    return {}


@operation
async def delete_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    name = USER.get(at, request["UserName"])["UserName"]
    for items, first in (
        (tables.MEMBERSHIPS.list(at, UserName=name), "must remove users from group first"),
        (tables.ATTACHMENTS.list(at, "user", name), "must detach all policies first"),
        (tables.INLINE.list(at, "user", name), "must delete policies first"),
        (tables.ACCESS_KEYS.list(at, UserName=name), "must delete access keys first"),
        (
            tables.SERVICE_CREDENTIALS.list(at, UserName=name),
            "must delete service-specific credentials first",
        ),
        (tables.ACCOUNT.list(at, tables.login(name)), "must delete login profile first"),
    ):
        if items:
            raise AwsError("DeleteConflict", f"Cannot delete entity, {first}.")
    tables.USERS.delete(at, name)
    return {}


@operation
async def list_users(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    users = tables.USERS.list(tables.everywhere(ctx))
    return listed("Users", users, request, lambda user: user["UserName"], _summary)


def own_name(ctx: Context) -> str:
    """The caller's user name, for operations whose UserName is the caller by default."""
    if ctx.principal.type != "User":
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials")
    return ctx.principal.arn.rpartition("/")[2]


def _summary(user: Body) -> Body:
    return without(user, "Tags", "PermissionsBoundary")
