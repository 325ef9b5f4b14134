"""References of a repository: what branch and commit names mean, and moving them from the API."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from homeport.engine.services.codecommit import git, pushes, tables
from homeport.engine.services.codecommit.git import Reference
from homeport.engine.services.codecommit.tables import REPOSITORIES, Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine


class Locks:
    """One lock for each repository: API calls change it one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, repository_id: str) -> asyncio.Lock:
        return self._locks[repository_id]


async def branch(ctx: Context, repository: Row, name: str) -> str:
    """The commit at the head of a branch. Raises BranchDoesNotExistException."""
    found = git.head(tables.path(ctx, repository), f"refs/heads/{name}")
    if found is None:
        raise AwsError("BranchDoesNotExistException", f"Branch {name} does not exist")
    return found


async def default_branch(ctx: Context, repository: Row) -> str | None:
    """The default branch: the one that was chosen, else the first one that there was."""
    return tables.repository(ctx, repository["repositoryName"])["defaultBranch"]


async def commit(ctx: Context, repository: Row, name: str) -> str:
    """The full id of a commit, by id, branch, tag or full reference. Raises CommitDoesNotExistException."""
    if not name or name.startswith("-"):
        raise AwsError("InvalidCommitException", f"{name!r} is not the name of a commit")
    try:
        output = await git.run(
            tables.path(ctx, repository), "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"
        )
    except git.GitFailed:
        raise AwsError("CommitDoesNotExistException", f"Commit {name} does not exist") from None
    return output.decode().strip()


async def move(ctx: Context, repository: Row, name: str, new: str, old: str) -> None:
    """Move a reference from `old` to `new` (NULL: absent) and tell of it. Raises GitFailed when it is not at
    `old`. Killed in between, the next start finds the move and tells of it."""
    lock = ctx.engine.part(Locks).of(repository["repositoryId"])
    async with lock:
        await git.update_reference(tables.path(ctx, repository), name, new, old)
        with ctx.store.transaction():
            pushes.record(ctx, repository, Reference(old, new, name, ctx.principal.arn))
            row = tables.repository(ctx, repository["repositoryName"])
            REPOSITORIES.put(ctx, row | {"lastModifiedDate": ctx.now()})
            ctx.wake(pushes.NAME, repository["repositoryId"])
