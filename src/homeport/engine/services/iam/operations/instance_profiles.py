"""Instance profiles. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import (
    INSTANCE_PROFILE,
    ROLE,
    Body,
    checked_tags,
    encoded,
    listed,
    without,
)
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError


@operation
async def create_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = INSTANCE_PROFILE.create(
        at,
        request["InstanceProfileName"],
        request.get("Path"),
        RoleNames=[],
        Tags=checked_tags(request.get("Tags")) or None,
    )
    tables.INSTANCE_PROFILES.put(at, profile)
    return {"InstanceProfile": shown(at, profile)}


@operation
async def get_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    return {"InstanceProfile": shown(at, INSTANCE_PROFILE.get(at, request["InstanceProfileName"]))}


@operation
async def delete_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = INSTANCE_PROFILE.get(at, request["InstanceProfileName"])
    if profile["RoleNames"]:
        raise AwsError(
            "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."
        )
    tables.INSTANCE_PROFILES.delete(at, profile["InstanceProfileName"])
    return {}


@operation
async def list_instance_profiles(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    return _page(at, tables.INSTANCE_PROFILES.list(at), request)


@operation
async def list_instance_profiles_for_role(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    name = ROLE.get(at, request["RoleName"])["RoleName"]
    return _page(at, [one for one in tables.INSTANCE_PROFILES.list(at) if name in one["RoleNames"]], request)


@operation(pass_role={"RoleName": "ec2.amazonaws.com"})
async def add_role_to_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = INSTANCE_PROFILE.get(at, request["InstanceProfileName"])
    role = ROLE.get(at, request["RoleName"])
    if profile["RoleNames"]:
        raise AwsError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    tables.INSTANCE_PROFILES.put(at, profile | {"RoleNames": [role["RoleName"]]})
    return {}


@operation
async def remove_role_from_instance_profile(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    profile = INSTANCE_PROFILE.get(at, request["InstanceProfileName"])
    if request["RoleName"] not in profile["RoleNames"]:
        raise AwsError("NoSuchEntity", f"The role with name {request['RoleName']} cannot be found.")
    tables.INSTANCE_PROFILES.put(at, profile | {"RoleNames": []})
    return {}


def shown(at: At, profile: Body) -> Body:
    """The profile with its roles."""
    roles = [encoded(ROLE.get(at, name)) for name in profile["RoleNames"]]
    return without(profile, "RoleNames") | {"Roles": roles}


def _page(at: At, profiles: list[Body], request: dict[str, Any]) -> Body:
    return listed(
        "InstanceProfiles",
        profiles,
        request,
        lambda profile: profile["InstanceProfileName"],
        lambda profile: without(shown(at, profile), "Tags"),
    )
