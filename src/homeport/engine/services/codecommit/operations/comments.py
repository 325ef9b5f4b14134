"""Comments on pull requests and commits.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_PostCommentForPullRequest.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codecommit import pull_requests, tables
from homeport.engine.services.codecommit.tables import COMMENTS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PLACE = ("repositoryName", "pullRequestId", "beforeCommitId", "afterCommitId", "location")


@operation
async def post_comment_for_pull_request(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Comment on a pull request, or on a line of it."""
    pull_requests.read(ctx, request["pullRequestId"])
    return _post(ctx, request, f"pull request {request['pullRequestId']}")


@operation
async def post_comment_for_compared_commit(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Comment on what two commits differ in."""
    tables.repository(ctx, request["repositoryName"])
    return _post(ctx, request, f"commit {request['repositoryName']} {request['afterCommitId']}")


def _post(ctx: Context, request: dict[str, Any], thread: str) -> dict[str, Any]:
    place = {key: request[key] for key in _PLACE if key in request}
    row = _new(ctx, request["content"], thread, place, request.get("clientRequestToken"))
    return {**place, "comment": _shown(row)}


@operation
async def post_comment_reply(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer a comment."""
    parent = _read(ctx, request["inReplyTo"])
    row = _new(ctx, request["content"], parent["thread"], parent["place"], request.get("clientRequestToken"))
    row["inReplyTo"] = parent["commentId"]
    COMMENTS.put(ctx, row)
    return {"comment": _shown(row)}


def _new(ctx: Context, content: str, thread: str, place: Row, token: str | None) -> Row:
    if not content:
        raise AwsError("CommentContentRequiredException", "A comment must have content")
    if len(content) > 10_240:
        raise AwsError("CommentContentSizeLimitExceededException", "A comment has at most 10,240 characters")
    now = ctx.now()
    row = {
        "commentId": f"{uuid.uuid4()}:{uuid.uuid4()}",
        "thread": thread,
        "place": place,
        "content": content,
        "creationDate": now,
        "lastModifiedDate": now,
        "authorArn": ctx.principal.arn,
        "deleted": False,
        "clientRequestToken": token,
    }
    COMMENTS.put(ctx, row)
    return row


@operation
async def update_comment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change one's own comment."""
    row = _own(ctx, request["commentId"])
    row |= {"content": request["content"], "lastModifiedDate": ctx.now()}
    COMMENTS.put(ctx, row)
    return {"comment": _shown(row)}


@operation
async def delete_comment_content(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Empty a comment."""
    row = _read(ctx, request["commentId"])
    row |= {"content": "", "deleted": True, "lastModifiedDate": ctx.now()}
    COMMENTS.put(ctx, row)
    return {"comment": _shown(row)}


@operation
async def get_comment(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One comment."""
    return {"comment": _shown(_read(ctx, request["commentId"]))}


@operation
async def get_comments_for_pull_request(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All comments on a pull request, by where they stand."""
    pull_requests.read(ctx, request["pullRequestId"])
    return {"commentsForPullRequestData": _grouped(ctx, f"pull request {request['pullRequestId']}")}


@operation
async def get_comments_for_compared_commit(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All comments on a comparison of commits."""
    thread = f"commit {request['repositoryName']} {request['afterCommitId']}"
    return {"commentsForComparedCommitData": _grouped(ctx, thread)}


def _grouped(ctx: Context, thread: str) -> list[Row]:
    rows = sorted(COMMENTS.list(ctx, thread=thread), key=lambda row: row["creationDate"])
    groups: dict[str, Row] = {}
    for row in rows:
        group = groups.setdefault(str(row["place"]), {**row["place"], "comments": []})
        group["comments"].append(_shown(row))
    return list(groups.values())


def _read(ctx: Context, id: str) -> Row:
    row = COMMENTS.get(ctx, id)
    if row is None:
        raise AwsError("CommentDoesNotExistException", f"Comment {id} does not exist")
    return row


def _own(ctx: Context, id: str) -> Row:
    row = _read(ctx, id)
    if row["deleted"]:
        raise AwsError("CommentDeletedException", f"Comment {id} was deleted")
    if row["authorArn"] != ctx.principal.arn:
        raise AwsError("CommentNotCreatedByCallerException", "Only its author can change a comment")
    return row


def _shown(row: Row) -> Row:
    hidden = ("thread", "place")
    return {key: value for key, value in row.items() if key not in hidden and value is not None}
