"""What is in the account: its alias, its summary, everything about who may do what.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import managed, tables
from homeport.engine.services.iam.entities import GROUP, ROLE, USER, Body, Kind, encoded, without
from homeport.engine.services.iam.operations import instance_profiles, managed_policies
from homeport.engine.services.iam.operations.entity_policies import attached_policies
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

_DETAIL_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


@operation
async def create_account_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    tables.ACCOUNT.put(tables.everywhere(ctx), {"Name": "alias", "Value": request["AccountAlias"]})
    return {}


@operation
async def delete_account_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    known = tables.ACCOUNT.get(at, "alias")
    if known is None or known["Value"] != request["AccountAlias"]:
        raise AwsError("NoSuchEntity", f"The account alias {request['AccountAlias']} cannot be found.")
    tables.ACCOUNT.delete(at, "alias")
    return {}


@operation
async def list_account_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    alias = tables.ACCOUNT.get(tables.everywhere(ctx), "alias")
    return {"AccountAliases": [alias["Value"]] if alias else [], "IsTruncated": False}


@operation
async def get_account_summary(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    counts = {
        "Users": len(tables.USERS.list(at)),
        "Groups": len(tables.GROUPS.list(at)),
        "Roles": len(tables.ROLES.list(at)),
        "Policies": len(tables.POLICIES.list(at)),
        "InstanceProfiles": len(tables.INSTANCE_PROFILES.list(at)),
        "ServerCertificates": len(tables.SERVER_CERTIFICATES.list(at)),
        "Providers": len(tables.IDENTITY_PROVIDERS.list(at)),
        "AccessKeysPerUserQuota": 2,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
        "AttachedPoliciesPerUserQuota": 10,
        "VersionsPerPolicyQuota": 5,
        "AccountAccessKeysPresent": 1,
        "AccountMFAEnabled": 0,
    }
    return {"SummaryMap": counts}


@operation
async def get_account_authorization_details(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    wanted = request.get("Filter") or list(_DETAIL_LISTS)
    items: list[tuple[str, str, Body]] = []
    for kind, name in ((USER, "User"), (GROUP, "Group"), (ROLE, "Role")):
        if name in wanted:
            items += [(_DETAIL_LISTS[name], body["Arn"], body) for body in kind.table.list(at)]
    if "LocalManagedPolicy" in wanted:
        items += [("Policies", body["Arn"], body) for body in tables.POLICIES.list(at)]
    if "AWSManagedPolicy" in wanted:
        attached = {body["PolicyArn"] for body in tables.ATTACHMENTS.list(at)}
        known = managed.policies()
        items += [("Policies", arn, known[arn]) for arn in attached & known.keys()]
    items.sort(key=lambda item: (item[0], item[1]))
    chunk, marker = page(
        items,
        request.get("MaxItems") or 100,
        request.get("Marker"),
        lambda item: (item[0], item[1]),
        error="ValidationError",
    )
    answer: Body = {name: [] for name in dict.fromkeys(_DETAIL_LISTS.values())}
    for name, _, body in chunk:
        answer[name].append(_DETAILS[name](at, body))
    answer["IsTruncated"] = marker is not None
    return answer | ({"Marker": marker} if marker else {})


def _user(at: At, body: Body) -> Body:
    groups = [one["GroupName"] for one in tables.MEMBERSHIPS.list(at, UserName=body["UserName"])]
    return {**body, **_policies_of(at, USER, "user", body), "GroupList": groups}


def _group(at: At, body: Body) -> Body:
    return {**body, **_policies_of(at, GROUP, "group", body)}


def _role(at: At, body: Body) -> Body:
    profiles = [one for one in tables.INSTANCE_PROFILES.list(at) if body["RoleName"] in one["RoleNames"]]
    return {
        **without(encoded(body), "Description", "MaxSessionDuration"),
        **_policies_of(at, ROLE, "role", body),
        "InstanceProfileList": [instance_profiles.shown(at, profile) for profile in profiles],
        "RoleLastUsed": body.get("RoleLastUsed", {}),
    }


def _policies_of(at: At, kind: Kind, entity: str, body: Body) -> Body:
    inline = tables.INLINE.list(at, entity, body[kind.name])
    return {
        f"{kind.noun}PolicyList": [without(encoded(one), "EntityType", "EntityName") for one in inline],
        "AttachedManagedPolicies": attached_policies(at, entity, body[kind.name]),
    }


def _policy(at: At, body: Body) -> Body:
    versions = managed_policies.versions(at, body)
    return {**without(managed_policies.shown(at, body), "Tags"), "PolicyVersionList": versions}


_DETAILS = {"UserDetailList": _user, "GroupDetailList": _group, "RoleDetailList": _role, "Policies": _policy}
