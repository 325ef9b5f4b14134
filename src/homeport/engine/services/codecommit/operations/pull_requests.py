"""Pull requests: create, read, change, merge.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreatePullRequest.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codecommit import (
    conflicts,
    heads,
    merging,
    pull_requests,
    rule_templates,
    tables,
)
from homeport.engine.services.codecommit.conflicts import Conflicts
from homeport.engine.services.codecommit.merging import Option
from homeport.engine.services.codecommit.tables import PULL_REQUESTS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_pull_request(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for a branch to be merged into another."""
    if len(request["targets"]) != 1:
        raise AwsError("InvalidTargetsException", "A pull request has exactly one target")
    token = request.get("clientRequestToken")
    if token and (known := PULL_REQUESTS.list(ctx, token=token)):
        return {"pullRequest": await pull_requests.show(ctx, known[0])}
    target = request["targets"][0]
    repository = tables.repository(ctx, target["repositoryName"])
    source, destination, source_commit, destination_commit = await _target_commits(ctx, repository, target)
    base = await pull_requests.merge_base(ctx, repository, source_commit, destination_commit)
    now = ctx.now()
    with ctx.store.transaction():
        numbers = [row["number"] for row in PULL_REQUESTS.list(ctx)]
        number = max(numbers, default=0) + 1
        row = {
            "number": number,
            "pullRequestId": str(number),
            "repositoryName": target["repositoryName"],
            "title": request["title"],
            "description": request.get("description"),
            "status": "OPEN",
            "token": token,
            "authorArn": ctx.principal.arn,
            "creationDate": now,
            "sourceReference": source,
            "destinationReference": destination,
            "sourceCommit": source_commit,
            "destinationCommit": destination_commit,
            "mergeBase": base,
            "mergeMetadata": {"isMerged": False},
            "rules": rule_templates.rules(ctx, repository, destination),
            "approvals": {},
            "events": [],
        }
        created = {
            "repositoryName": row["repositoryName"],
            "sourceCommitId": source_commit,
            "destinationCommitId": destination_commit,
            "mergeBase": base,
        }
        pull_requests.note(
            ctx, row, "pullRequestCreated", "PULL_REQUEST_CREATED", pullRequestCreatedEventMetadata=created
        )
    return {"pullRequest": await pull_requests.show(ctx, row)}


async def _target_commits(ctx: Context, repository: Row, target: Row) -> tuple[str, str, str, str]:
    """Full names and heads of a new pull request's source and destination."""
    source = target["sourceReference"].removeprefix("refs/heads/")
    named = target.get("destinationReference")
    destination = named.removeprefix("refs/heads/") if named else await heads.default_branch(ctx, repository)
    if not destination:
        raise AwsError("ReferenceDoesNotExistException", "The repository has no default branch")
    if source == destination:
        raise AwsError("SourceAndDestinationAreSameException", "Source and destination are the same branch")
    try:
        commits = [await heads.branch(ctx, repository, name) for name in (source, destination)]
    except AwsError as error:
        raise AwsError("ReferenceDoesNotExistException", error.message) from None
    return f"refs/heads/{source}", f"refs/heads/{destination}", commits[0], commits[1]


@operation
async def get_pull_request(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One pull request."""
    return {"pullRequest": await pull_requests.show(ctx, pull_requests.read(ctx, request["pullRequestId"]))}


@operation
async def list_pull_requests(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ids of a repository's pull requests, newest first."""
    name = tables.repository(ctx, request["repositoryName"])["repositoryName"]
    author, status = request.get("authorArn"), request.get("pullRequestStatus")
    rows = [
        row
        for row in reversed(PULL_REQUESTS.list(ctx, repositoryName=name))
        if author in (None, row["authorArn"]) and status in (None, row["status"])
    ]
    rows, token = page(
        rows,
        request.get("maxResults") or 100,
        request.get("nextToken"),
        lambda row: -row["number"],
        "InvalidContinuationTokenException",
    )
    return {"pullRequestIds": [row["pullRequestId"] for row in rows], "nextToken": token}


@operation
async def describe_pull_request_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What happened to a pull request."""
    row = pull_requests.read(ctx, request["pullRequestId"])
    kind, actor = request.get("pullRequestEventType"), request.get("actorArn")
    found = [
        event
        for event in row["events"]
        if kind in (None, event["pullRequestEventType"]) and actor in (None, event["actorArn"])
    ]
    return {"pullRequestEvents": found}


@operation
async def update_pull_request_title(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the title."""
    return await _change(ctx, request, title=request["title"])


@operation
async def update_pull_request_description(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the description."""
    return await _change(ctx, request, description=request["description"])


async def _change(ctx: Context, request: dict[str, Any], **members: Any) -> dict[str, Any]:
    row = pull_requests.read_open(ctx, request["pullRequestId"]) | members
    PULL_REQUESTS.put(ctx, row | {"lastActivityDate": ctx.now()})
    return {"pullRequest": await pull_requests.show(ctx, row)}


@operation
async def update_pull_request_status(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Close a pull request without merging it."""
    row = await pull_requests.refresh(ctx, pull_requests.read(ctx, request["pullRequestId"]))
    status = request["pullRequestStatus"]
    if row["status"] == "CLOSED" and status == "OPEN":
        raise AwsError(
            "InvalidPullRequestStatusUpdateException", "A closed pull request cannot be opened again"
        )
    if status == row["status"]:
        return {"pullRequest": await pull_requests.show(ctx, row)}
    with ctx.store.transaction():
        row["status"] = status
        pull_requests.note(
            ctx,
            row,
            "pullRequestStatusChanged",
            "PULL_REQUEST_STATUS_CHANGED",
            pullRequestStatusChangedEventMetadata={"pullRequestStatus": status},
        )
    return {"pullRequest": await pull_requests.show(ctx, row)}


@operation
async def merge_pull_request_by_fast_forward(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge by moving the destination branch."""
    return await _merge(ctx, request, "FAST_FORWARD_MERGE")


@operation
async def merge_pull_request_by_squash(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge as one new commit."""
    return await _merge(ctx, request, "SQUASH_MERGE")


@operation
async def merge_pull_request_by_three_way(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge with a merge commit."""
    return await _merge(ctx, request, "THREE_WAY_MERGE")


async def _merge(ctx: Context, request: dict[str, Any], option: Option) -> dict[str, Any]:
    row = await pull_requests.refresh(ctx, pull_requests.read_open(ctx, request["pullRequestId"]))
    repository = tables.repository(ctx, request["repositoryName"])
    if request.get("sourceCommitId") not in (None, row["sourceCommit"]):
        raise AwsError(
            "TipOfSourceReferenceIsDifferentException",
            "The tip of the source branch is another commit by now",
        )
    if not pull_requests.evaluate(row)["approved"]:
        raise AwsError(
            "PullRequestApprovalRulesNotSatisfiedException",
            "The pull request's approval rules are not satisfied",
        )
    commit, _ = await merging.merge(
        ctx,
        repository,
        option,
        row["sourceCommit"],
        row["destinationCommit"],
        row["destinationReference"],
        request,
    )
    with ctx.store.transaction():
        row["status"] = "CLOSED"
        row["mergeMetadata"] = {
            "isMerged": True,
            "mergedBy": ctx.principal.arn,
            "mergeCommitId": commit,
            "mergeOption": option,
        }
        merged = {
            "repositoryName": row["repositoryName"],
            "destinationReference": row["destinationReference"],
            "mergeMetadata": row["mergeMetadata"],
        }
        pull_requests.note(
            ctx,
            row,
            "pullRequestMergeStatusUpdated",
            "PULL_REQUEST_MERGE_STATE_CHANGED",
            pullRequestMergedStateChangedEventMetadata=merged,
        )
    return {"pullRequest": await pull_requests.show(ctx, row)}


@operation
async def get_merge_options(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """In which ways two commits can be merged."""
    repository, source, destination = await _specified(ctx, request)
    options = []
    if await merging.is_ancestor(ctx, repository, destination, source):
        options.append("FAST_FORWARD_MERGE")
    _, found = await conflicts.merged(tables.path(ctx, repository), source, destination)
    if not found:
        options += ["SQUASH_MERGE", "THREE_WAY_MERGE"]
    return {
        "mergeOptions": options,
        "sourceCommitId": source,
        "destinationCommitId": destination,
        "baseCommitId": await pull_requests.merge_base(ctx, repository, source, destination),
    }


@operation
async def get_merge_conflicts(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Whether two commits can be merged, and the files that conflict."""
    repository, source, destination = await _specified(ctx, request)
    if request["mergeOption"] == "FAST_FORWARD_MERGE":
        mergeable = await merging.is_ancestor(ctx, repository, destination, source)
        found: Conflicts = {}
    else:
        _, found = await conflicts.merged(tables.path(ctx, repository), source, destination)
        mergeable = not found
    return {
        "mergeable": mergeable,
        "sourceCommitId": source,
        "destinationCommitId": destination,
        "baseCommitId": await pull_requests.merge_base(ctx, repository, source, destination),
        "conflictMetadataList": [{"filePath": path, "contentConflict": True} for path in found],
    }


async def _specified(ctx: Context, request: dict[str, Any]) -> tuple[Row, str, str]:
    repository = tables.repository(ctx, request["repositoryName"])
    source = await heads.commit(ctx, repository, request["sourceCommitSpecifier"])
    return repository, source, await heads.commit(ctx, repository, request["destinationCommitSpecifier"])


@operation
async def merge_branches_by_fast_forward(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge two branches by moving the target branch."""
    return await _merge_branches(ctx, request, "FAST_FORWARD_MERGE")


@operation
async def merge_branches_by_squash(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge two branches as one new commit."""
    return await _merge_branches(ctx, request, "SQUASH_MERGE")


@operation
async def merge_branches_by_three_way(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Merge two branches with a merge commit."""
    return await _merge_branches(ctx, request, "THREE_WAY_MERGE")


async def _merge_branches(ctx: Context, request: dict[str, Any], option: Option) -> dict[str, Any]:
    repository, source, destination = await _specified(ctx, request)
    branch = request.get("targetBranch") or request["destinationCommitSpecifier"]
    full = f"refs/heads/{branch.removeprefix('refs/heads/')}"
    commit, tree = await merging.merge(ctx, repository, option, source, destination, full, request)
    return {"commitId": commit, "treeId": tree}
