"""Repository creation templates."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecr.operations.lifecycle import check_lifecycle_policy
from homeport.engine.services.ecr.policies import check_policy
from homeport.engine.services.ecr.repositories import check_mutability, checked_tags
from homeport.engine.services.ecr.tables import TEMPLATES
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def create_repository_creation_template(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepositoryCreationTemplate.html"""
    if TEMPLATES.get(ctx, request["prefix"]):
        raise AwsError(
            "TemplateAlreadyExistsException",
            f"The repository creation template with prefix '{request['prefix']}' already exists in the registry "
            f"with id '{ctx.scope.account}'",
        )
    return _put(ctx, {"imageTagMutability": "MUTABLE", "createdAt": ctx.now()}, request)


@operation
async def update_repository_creation_template(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdateRepositoryCreationTemplate.html"""
    return _put(ctx, _find(ctx, request["prefix"]), request)


@operation
async def delete_repository_creation_template(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepositoryCreationTemplate.html"""
    template = _find(ctx, request["prefix"])
    TEMPLATES.delete(ctx, request["prefix"])
    return {"registryId": ctx.scope.account, "repositoryCreationTemplate": template}


@operation
async def describe_repository_creation_templates(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositoryCreationTemplates.html"""
    wanted = request.get("prefixes")
    templates, token = page(
        [each for each in TEMPLATES.list(ctx) if not wanted or each["prefix"] in wanted],
        request.get("maxResults") or 100,
        request.get("nextToken"),
        key=lambda each: each["prefix"],
        error="InvalidParameterException",
    )
    return {
        "registryId": ctx.scope.account,
        "repositoryCreationTemplates": templates,
        "nextToken": token,
    }


def _find(ctx: Context, prefix: str) -> Body:
    template = TEMPLATES.get(ctx, prefix)
    if template is None:
        raise AwsError(
            "TemplateNotFoundException",
            f"The repository creation template with prefix '{prefix}' does not exist in the registry with id "
            f"'{ctx.scope.account}'",
        )
    return template


def _put(ctx: Context, template: Body, request: Body) -> Body:
    template = template | request | {"updatedAt": ctx.now()}
    check_mutability(template["imageTagMutability"], template.get("imageTagMutabilityExclusionFilters"))
    template["resourceTags"] = checked_tags(template.get("resourceTags") or [])
    if template.get("repositoryPolicy"):
        check_policy(template["repositoryPolicy"], "repository")
    if template.get("lifecyclePolicy"):
        check_lifecycle_policy(template["lifecyclePolicy"])
    TEMPLATES.put(ctx, template)
    return {"registryId": ctx.scope.account, "repositoryCreationTemplate": template}
