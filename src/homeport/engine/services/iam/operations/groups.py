"""Groups and who is in them. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import GROUP, USER, Body, listed, without
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    group = GROUP.create(at, request["GroupName"], request.get("Path"))
    tables.GROUPS.put(at, group)
    return {"Group": group}


@operation
async def get_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    group = GROUP.get(at, request["GroupName"])
    users = [USER.get(at, member["UserName"]) for member in tables.MEMBERSHIPS.list(at, group["GroupName"])]
    return {"Group": group, **listed("Users", users, request, lambda user: user["UserName"], _user)}


@operation
async def update_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    group = GROUP.get(at, request["GroupName"])
    old, name = group["GroupName"], request.get("NewGroupName") or group["GroupName"]
    path = request.get("NewPath") or group["Path"]
    if name != old and tables.GROUPS.get(at, name):
        raise AwsError("EntityAlreadyExists", f"Group with name {name} already exists.")
    arn = at.arn(f"group{path}{name}", service="iam", region="")
    with at.store.transaction():
        tables.GROUPS.delete(at, old)
        tables.GROUPS.put(at, group | {"GroupName": name, "Path": path, "Arn": arn})
        for table in (tables.INLINE, tables.ATTACHMENTS):
            for body in table.list(at, "group", old):
                table.delete(at, *(body[field] for field in table.key))
                table.put(at, body | {"EntityName": name})
        for member in tables.MEMBERSHIPS.list(at, old):
            tables.MEMBERSHIPS.delete(at, old, member["UserName"])
            tables.MEMBERSHIPS.put(at, member | {"GroupName": name})
    return {}


@operation
async def delete_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    name = GROUP.get(at, request["GroupName"])["GroupName"]
    for items, first in (
        (tables.MEMBERSHIPS.list(at, name), "must remove users from group first"),
        (tables.ATTACHMENTS.list(at, "group", name), "must detach all policies first"),
        (tables.INLINE.list(at, "group", name), "must delete policies first"),
    ):
        if items:
            raise AwsError("DeleteConflict", f"Cannot delete entity, {first}.")
    tables.GROUPS.delete(at, name)
    return {}


@operation
async def list_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    groups = tables.GROUPS.list(tables.everywhere(ctx))
    return listed("Groups", groups, request, lambda group: group["GroupName"])


@operation
async def add_user_to_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    group, user = GROUP.get(at, request["GroupName"]), USER.get(at, request["UserName"])
    tables.MEMBERSHIPS.put(at, {"GroupName": group["GroupName"], "UserName": user["UserName"]})
    return {}


@operation
async def remove_user_from_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    group, user = GROUP.get(at, request["GroupName"]), USER.get(at, request["UserName"])
    tables.MEMBERSHIPS.delete(at, group["GroupName"], user["UserName"])
    return {}


@operation
async def list_groups_for_user(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    user = USER.get(at, request["UserName"])
    memberships = tables.MEMBERSHIPS.list(at, UserName=user["UserName"])
    groups = [GROUP.get(at, membership["GroupName"]) for membership in memberships]
    return listed("Groups", groups, request, lambda group: group["GroupName"])


def _user(user: Body) -> Body:
    return without(user, "Tags", "PermissionsBoundary")
