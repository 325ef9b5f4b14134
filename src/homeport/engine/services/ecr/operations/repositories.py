"""Repositories and their settings."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.images import find_repository
from homeport.engine.services.ecr.repositories import (
    check_mutability,
    make_repository,
    remove_repository,
    show_repository,
)
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.tables import REPOSITORIES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def create_repository(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""
    ctx = registry_of(ctx, request)
    settings = {
        key: value for key, value in request.items() if key not in ("policyText", "lifecyclePolicyText")
    }
    return {"repository": show_repository(ctx, make_repository(ctx, request["repositoryName"], settings))}


@operation
async def describe_repositories(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html"""
    ctx = registry_of(ctx, request)
    if names := request.get("repositoryNames"):
        if request.get("nextToken") or request.get("maxResults"):
            raise AwsError(
                "InvalidParameterException",
                "Invalid parameter at 'repositoryNames' failed to satisfy constraint: 'must be null when "
                "maxResults or nextToken is given'",
            )
        rows, token = [find_repository(ctx, name) for name in names], None
    else:
        rows, token = page(
            REPOSITORIES.list(ctx),
            request.get("maxResults") or 100,
            request.get("nextToken"),
            key=lambda row: row["repositoryName"],
            error="InvalidParameterException",
        )
    return {"repositories": [show_repository(ctx, row) for row in rows], "nextToken": token}


@operation
async def delete_repository(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html"""
    ctx = registry_of(ctx, request)
    row = remove_repository(ctx, request["repositoryName"], bool(request.get("force")))
    return {"repository": show_repository(ctx, row)}


@operation
async def put_image_tag_mutability(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html"""
    mutability, filters = request["imageTagMutability"], request.get("imageTagMutabilityExclusionFilters")
    check_mutability(mutability, filters)
    settings = {"imageTagMutability": mutability, "imageTagMutabilityExclusionFilters": filters}
    return _put(registry_of(ctx, request), request["repositoryName"], settings)


@operation
async def put_image_scanning_configuration(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageScanningConfiguration.html"""
    on_push = bool(request["imageScanningConfiguration"].get("scanOnPush"))
    settings = {"imageScanningConfiguration": {"scanOnPush": on_push}}
    return _put(registry_of(ctx, request), request["repositoryName"], settings)


def _put(ctx: Context, name: str, settings: Body) -> Body:
    REPOSITORIES.put(ctx, find_repository(ctx, name) | settings)
    told = {key: value for key, value in settings.items() if value is not None}
    return {"registryId": ctx.scope.account, "repositoryName": name, **told}
