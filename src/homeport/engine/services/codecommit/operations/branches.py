"""Branches: create, read, delete, list, the default one.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateBranch.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codecommit import git, heads, tables
from homeport.engine.services.codecommit.git import NULL
from homeport.engine.services.codecommit.tables import REPOSITORIES
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def create_branch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a branch at a commit."""
    repository = tables.repository(ctx, request["repositoryName"])
    commit = await heads.commit(ctx, repository, request["commitId"])
    try:
        await heads.move(ctx, repository, f"refs/heads/{request['branchName']}", commit, NULL)
    except git.GitFailed as error:
        name = request["branchName"]
        if "not a valid ref name" in str(error) or "bad name" in str(error):
            raise AwsError("InvalidBranchNameException", f"{name} is not a valid branch name") from None
        raise AwsError("BranchNameExistsException", f"Branch {name} already exists") from None
    return {}


@operation
async def get_branch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The head of a branch."""
    repository = tables.repository(ctx, request["repositoryName"])
    commit = await heads.branch(ctx, repository, request["branchName"])
    return {"branch": {"branchName": request["branchName"], "commitId": commit}}


@operation
async def list_branches(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The names of all branches."""
    repository = tables.repository(ctx, request["repositoryName"])
    references = await git.references(tables.path(ctx, repository))
    names = sorted(name.removeprefix("refs/heads/") for name in references if name.startswith("refs/heads/"))
    names, token = page(
        names, 1000, request.get("nextToken"), lambda name: name, "InvalidContinuationTokenException"
    )
    return {"branches": names, "nextToken": token}


@operation
async def delete_branch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a branch; deleting none is no error, the default branch cannot be deleted."""
    repository = tables.repository(ctx, request["repositoryName"])
    name = request["branchName"]
    if name == await heads.default_branch(ctx, repository):
        raise AwsError("DefaultBranchCannotBeDeletedException", f"Branch {name} is the default branch")
    references = await git.references(tables.path(ctx, repository))
    old = references.get(f"refs/heads/{name}")
    if old is None:
        return {}
    await heads.move(ctx, repository, f"refs/heads/{name}", NULL, old)
    return {"deletedBranch": {"branchName": name, "commitId": old}}


@operation
async def update_default_branch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Name the default branch, which clones check out."""
    repository = tables.repository(ctx, request["repositoryName"])
    name = request["defaultBranchName"]
    await heads.branch(ctx, repository, name)
    await git.run(tables.path(ctx, repository), "symbolic-ref", "HEAD", f"refs/heads/{name}")
    row = tables.repository(ctx, request["repositoryName"])
    REPOSITORIES.put(ctx, row | {"defaultBranch": name, "lastModifiedDate": ctx.now()})
    return {}
