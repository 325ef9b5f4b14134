"""Approval rule templates: create, read, change, associate with repositories.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateApprovalRuleTemplate.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from homeport.engine.services.codecommit import rule_templates, tables
from homeport.engine.services.codecommit.tables import RULE_TEMPLATES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_MAXIMUM = 25
"""Templates that may be associated with one repository."""


@operation
async def create_approval_rule_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A template that is associated with no repository yet."""
    name, content = request["approvalRuleTemplateName"], request["approvalRuleTemplateContent"]
    _check_free(ctx, name)
    now = ctx.now()
    row = {
        "approvalRuleTemplateId": str(uuid.uuid4()),
        "approvalRuleTemplateName": name,
        "approvalRuleTemplateDescription": request.get("approvalRuleTemplateDescription"),
        "approvalRuleTemplateContent": content,
        "ruleContentSha256": rule_templates.check(content),
        "creationDate": now,
        "lastModifiedDate": now,
        "lastModifiedUser": ctx.principal.arn,
        "repositoryIds": [],
    }
    RULE_TEMPLATES.put(ctx, row)
    return {"approvalRuleTemplate": rule_templates.show(row)}


def _check_free(ctx: Context, name: str) -> None:
    if RULE_TEMPLATES.get(ctx, name):
        raise AwsError(
            "ApprovalRuleTemplateNameAlreadyExistsException",
            f"An approval rule template named {name} already exists",
        )


@operation
async def get_approval_rule_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One template."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    return {"approvalRuleTemplate": rule_templates.show(row)}


@operation
async def list_approval_rule_templates(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The names of all templates."""
    return _page([row["approvalRuleTemplateName"] for row in RULE_TEMPLATES.list(ctx)], request)


@operation
async def update_approval_rule_template_content(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change what pull requests ask for that are made from now on."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    if request.get("existingRuleContentSha256") not in (None, row["ruleContentSha256"]):
        raise AwsError(
            "InvalidRuleContentSha256Exception", "The template's content has another SHA-256 by now"
        )
    content = request["newRuleContent"]
    changed = {"approvalRuleTemplateContent": content, "ruleContentSha256": rule_templates.check(content)}
    return _changed(ctx, row, **changed)


@operation
async def update_approval_rule_template_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the description."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    return _changed(ctx, row, approvalRuleTemplateDescription=request["approvalRuleTemplateDescription"])


@operation
async def update_approval_rule_template_name(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the name; associations stay."""
    row = rule_templates.read(ctx, request["oldApprovalRuleTemplateName"])
    name = request["newApprovalRuleTemplateName"]
    with ctx.store.transaction():
        if name != row["approvalRuleTemplateName"]:
            _check_free(ctx, name)
            RULE_TEMPLATES.delete(ctx, row["approvalRuleTemplateName"])
        return _changed(ctx, row, approvalRuleTemplateName=name)


def _changed(ctx: Context, row: Row, **members: Any) -> dict[str, Any]:
    row |= {**members, "lastModifiedDate": ctx.now(), "lastModifiedUser": ctx.principal.arn}
    RULE_TEMPLATES.put(ctx, row)
    return {"approvalRuleTemplate": rule_templates.show(row)}


@operation
async def delete_approval_rule_template(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a template that no repository uses; rules that were made from it stay."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    if names := rule_templates.repository_names(ctx, row):
        raise AwsError(
            "ApprovalRuleTemplateInUseException",
            f"The template is associated with {', '.join(names)}: disassociate it first",
        )
    RULE_TEMPLATES.delete(ctx, row["approvalRuleTemplateName"])
    return {"approvalRuleTemplateId": row["approvalRuleTemplateId"]}


@operation
async def associate_approval_rule_template_with_repository(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Have new pull requests of a repository begin with the template's rule."""
    _associate(ctx, rule_templates.read(ctx, request["approvalRuleTemplateName"]), request["repositoryName"])
    return {}


@operation
async def disassociate_approval_rule_template_from_repository(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Have new pull requests of a repository begin without it."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    _disassociate(ctx, row, request["repositoryName"])
    return {}


def _associate(ctx: Context, row: Row, repository_name: str) -> None:
    repository = tables.repository(ctx, repository_name)
    if repository["repositoryId"] in row["repositoryIds"]:
        return
    if len(rule_templates.associated(ctx, repository)) >= _MAXIMUM:
        raise AwsError(
            "MaximumRuleTemplatesAssociatedWithRepositoryException",
            f"{repository_name} has {_MAXIMUM} approval rule templates already",
        )
    row["repositoryIds"].append(repository["repositoryId"])
    RULE_TEMPLATES.put(ctx, row)


def _disassociate(ctx: Context, row: Row, repository_name: str) -> None:
    id = tables.repository(ctx, repository_name)["repositoryId"]
    if id in row["repositoryIds"]:
        row["repositoryIds"].remove(id)
        RULE_TEMPLATES.put(ctx, row)


@operation
async def batch_associate_approval_rule_template_with_repositories(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Associate with several repositories."""
    done, errors = _each(ctx, request, _associate)
    return {"associatedRepositoryNames": done, "errors": errors}


@operation
async def batch_disassociate_approval_rule_template_from_repositories(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Disassociate from several repositories."""
    done, errors = _each(ctx, request, _disassociate)
    return {"disassociatedRepositoryNames": done, "errors": errors}


def _each(
    ctx: Context, request: dict[str, Any], change: Callable[[Context, Row, str], None]
) -> tuple[list[str], list[dict[str, str]]]:
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    done: list[str] = []
    errors: list[dict[str, str]] = []
    for name in request["repositoryNames"]:
        try:
            change(ctx, row, name)
            done.append(name)
        except AwsError as error:
            errors.append({"repositoryName": name, "errorCode": error.code, "errorMessage": error.message})
    return done, errors


@operation
async def list_associated_approval_rule_templates_for_repository(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """The names of a repository's templates."""
    repository = tables.repository(ctx, request["repositoryName"])
    found = rule_templates.associated(ctx, repository)
    return _page([row["approvalRuleTemplateName"] for row in found], request)


@operation
async def list_repositories_for_approval_rule_template(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """The names of a template's repositories."""
    row = rule_templates.read(ctx, request["approvalRuleTemplateName"])
    return _page(rule_templates.repository_names(ctx, row), request, "repositoryNames")


def _page(names: list[str], request: dict[str, Any], member: str = "approvalRuleTemplateNames") -> Row:
    found, token = page(
        names,
        request.get("maxResults") or 100,
        request.get("nextToken"),
        lambda name: name,
        "InvalidContinuationTokenException",
    )
    return {member: found, "nextToken": token}
