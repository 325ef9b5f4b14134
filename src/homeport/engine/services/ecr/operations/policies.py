"""Policies of repositories and of the registry."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.policies import check_policy
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.settings import read_setting, remove_setting, write_setting
from homeport.engine.services.ecr.tables import REPOSITORIES
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def set_repository_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html"""
    ctx = registry_of(ctx, request)
    row = find_repository(ctx, request["repositoryName"])
    check_policy(request["policyText"], "repository")
    row["policyText"] = request["policyText"]
    REPOSITORIES.put(ctx, row)
    return _policy(ctx, row)


@operation
async def get_repository_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html"""
    ctx = registry_of(ctx, request)
    return _policy(ctx, find_repository(ctx, request["repositoryName"]))


@operation
async def delete_repository_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryPolicy.html"""
    ctx = registry_of(ctx, request)
    row = find_repository(ctx, request["repositoryName"])
    answer = _policy(ctx, row)
    REPOSITORIES.put(ctx, row | {"policyText": None})
    return answer


@operation
async def put_registry_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryPolicy.html"""
    check_policy(request["policyText"], "registry")
    write_setting(ctx, "registry-policy", policyText=request["policyText"])
    return {"registryId": ctx.scope.account, "policyText": request["policyText"]}


@operation
async def get_registry_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryPolicy.html"""
    text = read_setting(ctx, "registry-policy").get("policyText")
    if text is None:
        raise AwsError(
            "RegistryPolicyNotFoundException",
            f"Registry policy does not exist in the registry with id '{ctx.scope.account}'",
        )
    return {"registryId": ctx.scope.account, "policyText": text}


@operation
async def delete_registry_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRegistryPolicy.html"""
    answer = await get_registry_policy(ctx, {})
    remove_setting(ctx, "registry-policy")
    return answer


def _policy(ctx: Context, row: Body) -> Body:
    if not row.get("policyText"):
        raise AwsError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{row['repositoryName']}' in the "
            f"registry with id '{ctx.scope.account}'",
        )
    return {
        "registryId": ctx.scope.account,
        "repositoryName": row["repositoryName"],
        "policyText": row["policyText"],
    }
