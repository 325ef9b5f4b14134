"""Lifecycle policies of repositories, and previews of what they would expire."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.expiration import NAME, expiring
from homeport.engine.services.ecr.images import find_image, find_repository
from homeport.engine.services.ecr.lifecycle import InvalidPolicy, parse_policy
from homeport.engine.services.ecr.scope import registry_of
from homeport.engine.services.ecr.tables import PREVIEWS, REPOSITORIES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
PREVIEW_LIFETIME = 24 * 3600.0


@operation
async def put_lifecycle_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutLifecyclePolicy.html"""
    ctx = registry_of(ctx, request)
    row = find_repository(ctx, request["repositoryName"])
    check_lifecycle_policy(request["lifecyclePolicyText"])
    row["lifecyclePolicyText"] = request["lifecyclePolicyText"]
    with ctx.store.transaction():
        REPOSITORIES.put(ctx, row)
        ctx.wake(NAME, row["repositoryName"])
    return _policy(ctx, row)


@operation
async def get_lifecycle_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicy.html"""
    ctx = registry_of(ctx, request)
    row = find_repository(ctx, request["repositoryName"])
    return _policy(ctx, row) | {"lastEvaluatedAt": row.get("lifecycleEvaluatedAt", 0)}


@operation
async def delete_lifecycle_policy(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteLifecyclePolicy.html"""
    answer = await get_lifecycle_policy(ctx, request)
    ctx = registry_of(ctx, request)
    row = find_repository(ctx, request["repositoryName"])
    REPOSITORIES.put(ctx, row | {"lifecyclePolicyText": None})
    return answer


@operation
async def start_lifecycle_policy_preview(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartLifecyclePolicyPreview.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    row = find_repository(ctx, name)
    if text := request.get("lifecyclePolicyText"):
        check_lifecycle_policy(text)
        row["lifecyclePolicyText"] = text
    answer = _policy(ctx, row) | {"status": "IN_PROGRESS"}
    results = [
        {
            "imageTags": list(image.tags),
            "imageDigest": image.digest,
            "imagePushedAt": image.pushed_at,
            "action": {"type": "EXPIRE"},
            "appliedRulePriority": priority,
        }
        for image, priority in expiring(ctx, name, row["lifecyclePolicyText"])
    ]
    preview = {"lifecyclePolicyText": row["lifecyclePolicyText"], "evaluatedAt": ctx.now()}
    PREVIEWS.put(ctx, preview | {"repositoryName": name, "results": results})
    return answer


@operation
async def get_lifecycle_policy_preview(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicyPreview.html"""
    ctx, name = registry_of(ctx, request), request["repositoryName"]
    find_repository(ctx, name)
    preview = PREVIEWS.get(ctx, name)
    if preview is None:
        raise AwsError(
            "LifecyclePolicyPreviewNotFoundException",
            f"Lifecycle policy preview does not exist for the repository with name '{name}' in the registry with "
            f"id '{ctx.scope.account}'",
        )
    results, token = page(
        _asked_for(ctx, request, preview["results"]),
        request.get("maxResults") or 100,
        request.get("nextToken"),
        key=lambda result: (result["imagePushedAt"], result["imageDigest"]),
        error="InvalidParameterException",
    )
    over = ctx.now() - preview["evaluatedAt"] > PREVIEW_LIFETIME
    return {
        "registryId": ctx.scope.account,
        "repositoryName": name,
        "lifecyclePolicyText": preview["lifecyclePolicyText"],
        "status": "EXPIRED" if over else "COMPLETE",
        "previewResults": results,
        "summary": {"expiringImageTotalCount": len(preview["results"])},
        "nextToken": token,
    }


def check_lifecycle_policy(text: str) -> None:
    """Raise InvalidParameterException for what is not a lifecycle policy."""
    try:
        parse_policy(text)
    except InvalidPolicy as error:
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
            f"'Lifecycle policy validation failure: {error}'",
        ) from None


def _asked_for(ctx: Context, request: Body, results: list[Body]) -> list[Body]:
    if ids := request.get("imageIds"):
        name = request["repositoryName"]
        wanted = {
            find_image(ctx, name, each.get("imageDigest"), each.get("imageTag"))["imageDigest"]
            for each in ids
        }
        results = [result for result in results if result["imageDigest"] in wanted]
    status = (request.get("filter") or {}).get("tagStatus") or "ANY"
    return [
        result for result in results if status in ("ANY", "TAGGED" if result["imageTags"] else "UNTAGGED")
    ]


def _policy(ctx: Context, row: Body) -> Body:
    if not row.get("lifecyclePolicyText"):
        raise AwsError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{row['repositoryName']}' in the "
            f"registry with id '{ctx.scope.account}'",
        )
    return {
        "registryId": ctx.scope.account,
        "repositoryName": row["repositoryName"],
        "lifecyclePolicyText": row["lifecyclePolicyText"],
    }
