"""Pull requests: their rows, what they show, whether their rules are met.

https://docs.aws.amazon.com/codecommit/latest/userguide/pull-requests.html
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from typing import Any

from homeport.engine.services.codecommit import events, git, tables
from homeport.engine.services.codecommit.tables import PULL_REQUESTS, Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError


def read(ctx: Context, id: str) -> Row:
    """The row of a pull request. Raises PullRequestDoesNotExistException."""
    row = PULL_REQUESTS.get(ctx, int(id)) if id.isdecimal() else None
    if row is None:
        raise AwsError("PullRequestDoesNotExistException", f"Pull request {id} does not exist")
    return row


def read_open(ctx: Context, id: str) -> Row:
    """The row of an open pull request. Raises PullRequestAlreadyClosedException."""
    row = read(ctx, id)
    if row["status"] != "OPEN":
        raise AwsError("PullRequestAlreadyClosedException", f"Pull request {id} is closed")
    return row


async def refresh(ctx: Context, row: Row) -> Row:
    """The row with the commits that its branches are at now; a closed one keeps those that it was closed with."""
    if row["status"] != "OPEN":
        return row
    repository = tables.repository(ctx, row["repositoryName"])
    references = await git.references(tables.path(ctx, repository))
    source = references.get(row["sourceReference"]) or str(row["sourceCommit"])
    destination = references.get(row["destinationReference"]) or str(row["destinationCommit"])
    base = row.get("mergeBase")
    if source != row["sourceCommit"] or destination != row["destinationCommit"] or base is None:
        base = await merge_base(ctx, repository, source, destination)
    return row | {"sourceCommit": source, "destinationCommit": destination, "mergeBase": base}


async def merge_base(ctx: Context, repository: Row, left: str, right: str) -> str:
    """The commit from which two others went apart; empty when they have none in common."""
    try:
        output = await git.run(tables.path(ctx, repository), "merge-base", left, right)
    except git.GitFailed:
        return ""
    return output.decode().strip()


def revision(row: Row) -> str:
    """The revision that approvals are for: it changes with the source branch."""
    return hashlib.sha256(f"{row['pullRequestId']}/{row['sourceCommit']}".encode()).hexdigest()


async def show(ctx: Context, row: Row) -> dict[str, Any]:
    """The pull request as AWS shows it."""
    row = await refresh(ctx, row)
    target = {
        "repositoryName": row["repositoryName"],
        "sourceReference": row["sourceReference"],
        "destinationReference": row["destinationReference"],
        "sourceCommit": row["sourceCommit"],
        "destinationCommit": row["destinationCommit"],
        "mergeBase": row["mergeBase"],
        "mergeMetadata": row["mergeMetadata"],
    }
    shown = {
        "pullRequestId": row["pullRequestId"],
        "title": row["title"],
        "description": row.get("description"),
        "lastActivityDate": row["lastActivityDate"],
        "creationDate": row["creationDate"],
        "pullRequestStatus": row["status"],
        "authorArn": row["authorArn"],
        "pullRequestTargets": [target],
        "clientRequestToken": row.get("token"),
        "revisionId": revision(row),
        "approvalRules": [_shown_rule(rule) for rule in row["rules"]],
    }
    return {key: value for key, value in shown.items() if value is not None}


def _shown_rule(rule: Row) -> Row:
    return {key: value for key, value in rule.items() if key != "overridden"}


def note(ctx: Context, row: Row, event: str, kind: str, **metadata: Any) -> None:
    """Save the row with one more event in its history, and tell EventBridge. Call inside a transaction."""
    now = ctx.now()
    entry = {
        "pullRequestId": row["pullRequestId"],
        "eventDate": now,
        "pullRequestEventType": kind,
        "actorArn": ctx.principal.arn,
        **metadata,
    }
    row["events"].append(entry)
    row["lastActivityDate"] = now
    PULL_REQUESTS.put(ctx, row)
    detail = {
        "event": event,
        "pullRequestId": row["pullRequestId"],
        "pullRequestStatus": row["status"].capitalize(),
        "title": row["title"],
        "author": row["authorArn"],
        "callerUserArn": ctx.principal.arn,
        "repositoryNames": [row["repositoryName"]],
        "sourceReference": row["sourceReference"],
        "sourceCommit": row["sourceCommit"],
        "destinationReference": row["destinationReference"],
        "destinationCommit": row["destinationCommit"],
        "revisionId": revision(row),
        "isMerged": str(row["mergeMetadata"]["isMerged"]).capitalize(),
        "creationDate": row["creationDate"],
        "lastModifiedDate": now,
        "notificationBody": f"Pull request {row['pullRequestId']} ({row['sourceReference']} to "
        f"{row['destinationReference']}) in {row['repositoryName']}: {event}.",
    }
    events.pull_request_changed(ctx, row["repositoryName"], detail)


def source_moved(ctx: Context, repository_name: str, reference: str, commit: str) -> None:
    """A branch was pushed to: tell it of the open pull requests from there. Call inside a transaction."""
    for row in PULL_REQUESTS.list(ctx, repositoryName=repository_name, status="OPEN"):
        if row["sourceReference"] == reference and row["sourceCommit"] != commit:
            before = row["sourceCommit"]
            row["sourceCommit"], row["mergeBase"] = commit, None
            moved = {"repositoryName": repository_name, "beforeCommitId": before, "afterCommitId": commit}
            note(
                ctx,
                row,
                "pullRequestSourceBranchUpdated",
                "PULL_REQUEST_SOURCE_REFERENCE_UPDATED",
                pullRequestSourceReferenceUpdatedEventMetadata=moved,
            )


def evaluate(row: Row) -> dict[str, Any]:
    """Which approval rules are satisfied by the approvals of the current revision."""
    current = revision(row)
    approvers = [
        arn
        for arn, given in row["approvals"].items()
        if given["state"] == "APPROVE" and given["revisionId"] == current
    ]
    overridden = row.get("overriddenBy") is not None
    satisfied: list[str] = []
    not_satisfied: list[str] = []
    for rule in row["rules"]:
        (satisfied if _is_met(rule, approvers) else not_satisfied).append(rule["approvalRuleName"])
    return {
        "approved": overridden or not not_satisfied,
        "overridden": overridden,
        "approvalRulesSatisfied": satisfied,
        "approvalRulesNotSatisfied": not_satisfied,
    }


def _is_met(rule: Row, approvers: list[str]) -> bool:
    content = json.loads(rule["approvalRuleContent"])
    for statement in content.get("Statements", []):
        pool = statement.get("ApprovalPoolMembers")
        counted = [arn for arn in approvers if not pool or any(_is_member(arn, one) for one in pool)]
        if len(counted) < int(statement.get("NumberOfApprovalsNeeded", 1)):
            return False
    return True


def _is_member(arn: str, member: str) -> bool:
    """`CodeCommitApprovers:Ada` names users and sessions by name, anything else is a pattern of ARNs."""
    if member.startswith("CodeCommitApprovers:"):
        name = member.removeprefix("CodeCommitApprovers:")
        return fnmatch.fnmatchcase(arn.partition("/")[2], name) or arn.rpartition("/")[2] == name
    return fnmatch.fnmatchcase(arn, member)


def check_rule(content: str) -> str:
    """The SHA-256 of an approval rule's content. Raises InvalidApprovalRuleContentException."""
    try:
        parsed = json.loads(content)
        needed = [int(one["NumberOfApprovalsNeeded"]) for one in parsed["Statements"]]
    except (KeyError, TypeError, ValueError):
        needed = []
    if not needed or min(needed) < 0:
        raise AwsError(
            "InvalidApprovalRuleContentException",
            "The rule must be JSON with Version and Statements, each with Type and NumberOfApprovalsNeeded",
        )
    return hashlib.sha256(content.encode()).hexdigest()
