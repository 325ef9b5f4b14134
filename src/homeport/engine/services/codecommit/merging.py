"""Merging two commits: fast-forward, squash, three-way; git decides what conflicts.

https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-resolve-conflict-pull-request.html
"""

from __future__ import annotations

from typing import Any, Literal

from homeport.engine.services.codecommit import commits, conflicts, git, heads, tables
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Option = Literal["FAST_FORWARD_MERGE", "SQUASH_MERGE", "THREE_WAY_MERGE"]


async def merge(
    ctx: Context,
    repository: Row,
    option: Option,
    source: str,
    destination: str,
    branch: str,
    request: dict[str, Any],
) -> tuple[str, str]:
    """Merge `source` into `destination` and move the branch (its full name) to the result; returns the commit and its
    tree. Raises ManualMergeRequiredException when there are conflicts or, for a fast-forward, other commits."""
    path = tables.path(ctx, repository)
    if option == "FAST_FORWARD_MERGE":
        if not await is_ancestor(ctx, repository, destination, source):
            raise _manual("The destination has commits that the source has not: it cannot be fast-forwarded")
        result = source
    else:
        tree, found = await conflicts.merged(path, source, destination)
        if found:
            tree, left = await conflicts.resolve(path, tree, found, request)
            if left:
                raise _manual(f"The merge has conflicts in {', '.join(left[:10])}")
        parents = [destination] if option == "SQUASH_MERGE" else [destination, source]
        message = request.get("commitMessage") or f"Merge {source} into {branch.removeprefix('refs/heads/')}"
        result = await commits.write(ctx, path, tree, parents, {**request, "commitMessage": message})
    try:
        await heads.move(ctx, repository, branch, result, destination)
    except git.GitFailed:
        raise AwsError(
            "ConcurrentReferenceUpdateException", f"{branch} was moved while it was merged into: merge again"
        ) from None
    return result, (await commits.read(path, result))["treeId"]


async def is_ancestor(ctx: Context, repository: Row, older: str, newer: str) -> bool:
    """Whether `newer` contains `older`."""
    try:
        await git.run(tables.path(ctx, repository), "merge-base", "--is-ancestor", older, newer)
    except git.GitFailed:
        return False
    return True


def _manual(message: str) -> AwsError:
    return AwsError("ManualMergeRequiredException", message)
