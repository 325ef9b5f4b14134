"""Managed policies and their versions. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import managed, tables
from homeport.engine.services.iam.entities import (
    Body,
    checked_managed_document,
    checked_tags,
    encoded,
    listed,
    new_id,
    without,
)
from homeport.engine.services.iam.lookup import managed_document, managed_policy
from homeport.engine.services.service import operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

MAX_VERSIONS = 5


@operation
async def create_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    path = request.get("Path") or "/"
    arn = at.arn(f"policy{path}{request['PolicyName']}", service="iam", region="")
    if any(policy["PolicyName"] == request["PolicyName"] for policy in tables.POLICIES.list(at)):
        raise AwsError(
            "EntityAlreadyExists",
            f"A policy called {request['PolicyName']} already exists. Duplicate names are not allowed.",
        )
    document = checked_managed_document(request["PolicyDocument"])
    now = ctx.now()
    policy: Body = {
        "PolicyName": request["PolicyName"],
        "PolicyId": new_id("ANPA"),
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": "v1",
        "IsAttachable": True,
        "CreateDate": now,
        "UpdateDate": now,
        "Versions": [{"Document": document, "VersionId": "v1", "CreateDate": now}],
        "LastVersion": 1,
    }
    if tags := checked_tags(request.get("Tags")):
        policy["Tags"] = tags
    if request.get("Description"):
        policy["Description"] = request["Description"]
    tables.POLICIES.put(at, policy)
    return {"Policy": shown(at, policy)}


@operation
async def get_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    return {"Policy": shown(at, _found(at, request["PolicyArn"]))}


@operation
async def list_policies(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policies: list[Body] = []
    scope = request.get("Scope") or "All"
    if scope in ("All", "AWS"):
        policies += managed.policies().values()
    if scope in ("All", "Local"):
        policies += tables.POLICIES.list(at)
    if request.get("OnlyAttached"):
        attached = {body["PolicyArn"] for body in tables.ATTACHMENTS.list(at)}
        policies = [policy for policy in policies if policy["Arn"] in attached]
    usage = request.get("PolicyUsageFilter")
    if usage:
        bounding = usage == "PermissionsBoundary"
        in_use = _bounding(at) if bounding else {body["PolicyArn"] for body in tables.ATTACHMENTS.list(at)}
        policies = [policy for policy in policies if policy["Arn"] in in_use]
    return listed(
        "Policies", policies, request, lambda policy: policy["Arn"], lambda policy: _summary(at, policy)
    )


@operation
async def delete_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _own(at, request["PolicyArn"])
    if any(body["PolicyArn"] == policy["Arn"] for body in tables.ATTACHMENTS.list(at)):
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")
    if policy["Arn"] in _bounding(at):
        raise AwsError("DeleteConflict", "Cannot delete a policy that is used as a permissions boundary.")
    if len(policy["Versions"]) > 1:
        raise AwsError(
            "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete the policy's "
            "versions. The default version is deleted with the policy.",
        )
    tables.POLICIES.delete(at, policy["Arn"])
    return {}


@operation
async def create_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _own(at, request["PolicyArn"])
    document = checked_managed_document(request["PolicyDocument"])
    if len(policy["Versions"]) >= MAX_VERSIONS:
        raise AwsError(
            "LimitExceeded",
            f"A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must "
            "delete an existing version.",
        )
    policy["LastVersion"] += 1
    version = {"Document": document, "VersionId": f"v{policy['LastVersion']}", "CreateDate": ctx.now()}
    policy["Versions"].append(version)
    policy["UpdateDate"] = ctx.now()
    if request.get("SetAsDefault"):
        policy["DefaultVersionId"] = version["VersionId"]
    tables.POLICIES.put(at, policy)
    return {"PolicyVersion": _version(policy, version, with_document=False)}


@operation
async def get_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _found(at, request["PolicyArn"])
    for version in _versions(at, policy):
        if version["VersionId"] == request["VersionId"]:
            return {"PolicyVersion": _version(policy, version, with_document=True)}
    raise _no_version(policy, request["VersionId"])


@operation
async def list_policy_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _found(at, request["PolicyArn"])
    return listed(
        "Versions",
        _versions(at, policy),
        request,
        lambda version: -int(version["VersionId"][1:]),
        lambda version: _version(policy, version, with_document=False),
    )


@operation
async def set_default_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _own(at, request["PolicyArn"])
    if request["VersionId"] not in [version["VersionId"] for version in policy["Versions"]]:
        raise _no_version(policy, request["VersionId"])
    tables.POLICIES.put(at, policy | {"DefaultVersionId": request["VersionId"], "UpdateDate": ctx.now()})
    return {}


@operation
async def delete_policy_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    at = tables.everywhere(ctx)
    policy = _own(at, request["PolicyArn"])
    if request["VersionId"] == policy["DefaultVersionId"]:
        raise AwsError("DeleteConflict", "Cannot delete the default version of a policy.")
    kept = [version for version in policy["Versions"] if version["VersionId"] != request["VersionId"]]
    if len(kept) == len(policy["Versions"]):
        raise _no_version(policy, request["VersionId"])
    tables.POLICIES.put(at, policy | {"Versions": kept})
    return {}


def shown(at: At, policy: Body) -> Body:
    """The policy as IAM shows it: without its documents, with how often it is used."""
    attached = sum(1 for body in tables.ATTACHMENTS.list(at) if body["PolicyArn"] == policy["Arn"])
    bounding = sum(
        1 for body in (*tables.USERS.list(at), *tables.ROLES.list(at)) if _bounds(body, policy["Arn"])
    )
    return without(policy, "Versions", "LastVersion") | {
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
    }


def versions(at: At, policy: Body) -> list[Body]:
    """All versions of a policy, with their documents."""
    return [_version(policy, version, with_document=True) for version in _versions(at, policy)]


def _summary(at: At, policy: Body) -> Body:
    return without(shown(at, policy), "Tags", "Description")


def _bounds(body: Body, arn: str) -> bool:
    return (body.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") == arn


def _bounding(at: At) -> set[str]:
    bodies = (*tables.USERS.list(at), *tables.ROLES.list(at))
    return {
        body["PermissionsBoundary"]["PermissionsBoundaryArn"]
        for body in bodies
        if body.get("PermissionsBoundary")
    }


def _found(at: At, arn: str) -> Body:
    try:
        return managed_policy(at, arn)
    except AwsError as error:
        if error.code == "NoSuchEntity":
            raise AwsError("NoSuchEntity", f"Policy {arn} was not found.") from None
        raise


def _own(at: At, arn: str) -> Body:
    if arn.startswith(managed.PREFIX):
        raise AwsError("AccessDenied", f"Policy {arn} is AWS's: only AWS can change it.", 403)
    return _found(at, arn)


def _versions(at: At, policy: Body) -> list[Body]:
    if "Versions" in policy:
        return policy["Versions"]
    document = managed_document(at, policy["Arn"])
    return [
        {"Document": document, "VersionId": policy["DefaultVersionId"], "CreateDate": policy["UpdateDate"]}
    ]


def _version(policy: Body, version: Body, *, with_document: bool) -> Body:
    shown = encoded(version) if with_document else without(version, "Document")
    return {**shown, "IsDefaultVersion": version["VersionId"] == policy["DefaultVersionId"]}


def _no_version(policy: Body, version: str) -> AwsError:
    return AwsError(
        "NoSuchEntity", f"Policy {policy['Arn']} version {version} does not exist or is not attachable."
    )
