"""Approval rule templates: rules that new pull requests of the associated repositories begin with.

https://docs.aws.amazon.com/codecommit/latest/userguide/approval-rule-templates.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from homeport.engine.services.codecommit import pull_requests
from homeport.engine.services.codecommit.tables import REPOSITORIES, RULE_TEMPLATES, Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


def read(ctx: Context, name: str) -> Row:
    """The template's row. Raises ApprovalRuleTemplateDoesNotExistException."""
    row = RULE_TEMPLATES.get(ctx, name)
    if row is None:
        raise AwsError(
            "ApprovalRuleTemplateDoesNotExistException", f"The approval rule template {name} does not exist"
        )
    return row


def show(row: Row) -> dict[str, Any]:
    """The template as AWS shows it."""
    return {key: value for key, value in row.items() if key != "repositoryIds" and value is not None}


def associated(ctx: Context, repository: Row) -> list[Row]:
    """The templates that are associated with a repository."""
    return [row for row in RULE_TEMPLATES.list(ctx) if repository["repositoryId"] in row["repositoryIds"]]


def repository_names(ctx: Context, row: Row) -> list[str]:
    """The repositories that a template is associated with."""
    return [
        one["repositoryName"] for one in REPOSITORIES.list(ctx) if one["repositoryId"] in row["repositoryIds"]
    ]


def rules(ctx: Context, repository: Row, destination: str) -> list[Row]:
    """The rules that a new pull request into the branch `destination` (its full name) begins with."""
    now = ctx.now()
    return [
        {
            "approvalRuleId": str(uuid.uuid4()),
            "approvalRuleName": row["approvalRuleTemplateName"],
            "approvalRuleContent": row["approvalRuleTemplateContent"],
            "ruleContentSha256": row["ruleContentSha256"],
            "creationDate": now,
            "lastModifiedDate": now,
            "lastModifiedUser": row["lastModifiedUser"],
            "originApprovalRuleTemplate": {
                "approvalRuleTemplateId": row["approvalRuleTemplateId"],
                "approvalRuleTemplateName": row["approvalRuleTemplateName"],
            },
        }
        for row in associated(ctx, repository)
        if _is_for(row, destination)
    ]


def _is_for(row: Row, destination: str) -> bool:
    """A template without DestinationReferences is for all branches."""
    wanted = json.loads(row["approvalRuleTemplateContent"]).get("DestinationReferences")
    names = (destination, destination.removeprefix("refs/heads/"))
    return not wanted or any(one in names for one in wanted)


def check(content: str) -> str:
    """The SHA-256 of a template's content. Raises InvalidApprovalRuleTemplateContentException."""
    try:
        return pull_requests.check_rule(content)
    except AwsError as error:
        raise AwsError("InvalidApprovalRuleTemplateContentException", error.message) from None
