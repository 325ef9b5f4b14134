"""Approvals of pull requests: rules, states, overrides.

https://docs.aws.amazon.com/codecommit/latest/userguide/approval-rules.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codecommit import pull_requests
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_pull_request_approval_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for approvals before the pull request may be merged."""
    row, name = pull_requests.read_open(ctx, request["pullRequestId"]), request["approvalRuleName"]
    if any(rule["approvalRuleName"] == name for rule in row["rules"]):
        raise AwsError(
            "ApprovalRuleNameAlreadyExistsException", f"An approval rule named {name} already exists"
        )
    now = ctx.now()
    rule = {
        "approvalRuleId": str(uuid.uuid4()),
        "approvalRuleName": name,
        "approvalRuleContent": request["approvalRuleContent"],
        "ruleContentSha256": pull_requests.check_rule(request["approvalRuleContent"]),
        "creationDate": now,
        "lastModifiedDate": now,
        "lastModifiedUser": ctx.principal.arn,
    }
    row["rules"].append(rule)
    _note(ctx, row, "pullRequestApprovalRuleCreated", "PULL_REQUEST_APPROVAL_RULE_CREATED", rule)
    return {"approvalRule": rule}


@operation
async def update_pull_request_approval_rule_content(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change what a rule asks for."""
    row = pull_requests.read_open(ctx, request["pullRequestId"])
    rule = _rule(row, request["approvalRuleName"])
    if request.get("existingRuleContentSha256") not in (None, rule["ruleContentSha256"]):
        raise AwsError("InvalidRuleContentSha256Exception", "The rule's content has another SHA-256 by now")
    content = request["newRuleContent"]
    rule |= {
        "approvalRuleContent": content,
        "ruleContentSha256": pull_requests.check_rule(content),
        "lastModifiedDate": ctx.now(),
        "lastModifiedUser": ctx.principal.arn,
    }
    _note(ctx, row, "pullRequestApprovalRuleUpdated", "PULL_REQUEST_APPROVAL_RULE_UPDATED", rule)
    return {"approvalRule": rule}


@operation
async def delete_pull_request_approval_rule(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a rule."""
    row = pull_requests.read_open(ctx, request["pullRequestId"])
    rule = _rule(row, request["approvalRuleName"])
    row["rules"].remove(rule)
    _note(ctx, row, "pullRequestApprovalRuleDeleted", "PULL_REQUEST_APPROVAL_RULE_DELETED", rule)
    return {"approvalRuleId": rule["approvalRuleId"]}


def _rule(row: Row, name: str) -> Row:
    for rule in row["rules"]:
        if rule["approvalRuleName"] == name:
            return rule
    raise AwsError("ApprovalRuleDoesNotExistException", f"There is no approval rule named {name}")


def _note(ctx: Context, row: Row, event: str, kind: str, rule: Row) -> None:
    told = {
        "approvalRuleName": rule["approvalRuleName"],
        "approvalRuleId": rule["approvalRuleId"],
        "approvalRuleContent": rule["approvalRuleContent"],
    }
    with ctx.store.transaction():
        pull_requests.note(ctx, row, event, kind, approvalRuleEventMetadata=told)


@operation
async def update_pull_request_approval_state(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Approve the current revision, or take the approval back; authors cannot approve their own."""
    row = await _at_revision(ctx, request)
    if row["authorArn"] == ctx.principal.arn:
        raise AwsError(
            "PullRequestCannotBeApprovedByAuthorException", "The author of a pull request cannot approve it"
        )
    state = request["approvalState"]
    row["approvals"][ctx.principal.arn] = {"state": state, "revisionId": request["revisionId"]}
    told = {"revisionId": request["revisionId"], "approvalStatus": state}
    with ctx.store.transaction():
        pull_requests.note(
            ctx,
            row,
            "pullRequestApprovalStateChanged",
            "PULL_REQUEST_APPROVAL_STATE_CHANGED",
            approvalStateChangedEventMetadata=told,
        )
    return {}


@operation
async def get_pull_request_approval_states(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Who approved a revision."""
    row = pull_requests.read(ctx, request["pullRequestId"])
    return {
        "approvals": [
            {"userArn": arn, "approvalState": given["state"]}
            for arn, given in row["approvals"].items()
            if given["revisionId"] == request["revisionId"]
        ]
    }


@operation
async def evaluate_pull_request_approval_rules(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether the rules are satisfied."""
    row = await pull_requests.refresh(ctx, pull_requests.read(ctx, request["pullRequestId"]))
    return {"evaluation": pull_requests.evaluate(row)}


@operation
async def override_pull_request_approval_rules(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set the rules aside for a revision, or ask for them again."""
    row = await _at_revision(ctx, request)
    status = request["overrideStatus"]
    if (status == "OVERRIDE") == (row.get("overriddenBy") is not None):
        raise AwsError("OverrideAlreadySetException", f"The override status is {status} already")
    row["overriddenBy"] = ctx.principal.arn if status == "OVERRIDE" else None
    told = {"revisionId": request["revisionId"], "overrideStatus": status}
    with ctx.store.transaction():
        pull_requests.note(
            ctx,
            row,
            "pullRequestApprovalRuleOverridden",
            "PULL_REQUEST_APPROVAL_RULE_OVERRIDDEN",
            approvalRuleOverriddenEventMetadata=told,
        )
    return {}


@operation
async def get_pull_request_override_state(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether the rules are set aside, and by whom."""
    by = pull_requests.read(ctx, request["pullRequestId"]).get("overriddenBy")
    return {"overridden": by is not None, "overrider": by}


async def _at_revision(ctx: Context, request: dict[str, Any]) -> Row:
    row = await pull_requests.refresh(ctx, pull_requests.read_open(ctx, request["pullRequestId"]))
    if request["revisionId"] != pull_requests.revision(row):
        raise AwsError("RevisionNotCurrentException", "The source branch was pushed to since this revision")
    return row
