"""Commits: read, compare, and make them without a clone.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommit.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codecommit import commits, git, heads, tables
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def get_commit(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One commit by its id."""
    repository = tables.repository(ctx, request["repositoryName"])
    id = request["commitId"]
    if len(id) != 40 or not set(id) <= set("0123456789abcdef"):
        raise AwsError("CommitIdDoesNotExistException", f"Commit ID {id} does not exist: give all 40 digits")
    try:
        return {"commit": await commits.read(tables.path(ctx, repository), id)}
    except git.GitFailed:
        raise AwsError("CommitIdDoesNotExistException", f"Commit ID {id} does not exist") from None


@operation
async def batch_get_commits(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Several commits at once."""
    repository = tables.repository(ctx, request["repositoryName"])
    found, errors = [], []
    for id in request["commitIds"]:
        try:
            found.append(
                await commits.read(tables.path(ctx, repository), await heads.commit(ctx, repository, id))
            )
        except AwsError as error:
            errors.append({"commitId": id, "errorCode": error.code, "errorMessage": error.message})
    return {"commits": found, "errors": errors}


@operation
async def get_differences(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What files differ between two commits; without a first one, every file was added."""
    repository = tables.repository(ctx, request["repositoryName"])
    after = await heads.commit(ctx, repository, request["afterCommitSpecifier"])
    before = request.get("beforeCommitSpecifier")
    if before:
        before = await heads.commit(ctx, repository, before)
    found = await commits.differences(
        tables.path(ctx, repository), before, after, request.get("beforePath"), request.get("afterPath")
    )
    found, token = page(
        found,
        request.get("MaxResults") or 400,
        request.get("NextToken"),
        key=lambda one: (one.get("afterBlob") or one["beforeBlob"])["path"],
        error="InvalidContinuationTokenException",
    )
    return {"differences": found, "NextToken": token}


@operation
async def create_commit(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Put, delete and re-mode files on the tip of a branch."""
    repository = tables.repository(ctx, request["repositoryName"])
    return await commits.create(ctx, repository, request)


@operation
async def list_file_commit_history(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The commits that changed a file, newest first."""
    repository = tables.repository(ctx, request["repositoryName"])
    name = request.get("commitSpecifier") or await heads.default_branch(ctx, repository)
    if name is None:
        raise AwsError("CommitDoesNotExistException", "The repository has no commits yet")
    start, file = await heads.commit(ctx, repository, name), request["filePath"].strip("/")
    found = await commits.history(tables.path(ctx, repository), start, file)
    found, token = page(
        found,
        request.get("maxResults") or 100,
        request.get("nextToken"),
        key=lambda one: one["position"],
        error="InvalidContinuationTokenException",
    )
    versions = []
    for one in found:
        commit = await commits.read(tables.path(ctx, repository), one["commitId"])
        versions.append(
            {
                "commit": commit,
                "blobId": one["blobId"],
                "path": file,
                "revisionChildren": one["children"],
            }
        )
    return {"revisionDag": versions, "nextToken": token}
