"""Merging two commits: fast-forward, squash, three-way; git decides what conflicts.

https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-resolve-conflict-pull-request.html
"""

from __future__ import annotations

from typing import Any, Literal

from homeport.engine.services.codecommit import commits, git, heads, tables
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
        tree, conflicts = await merged_tree(ctx, repository, source, destination)
        if conflicts:
            raise _manual(f"The merge has conflicts in {', '.join(conflicts[:10])}")
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


async def merged_tree(ctx: Context, repository: Row, source: str, destination: str) -> tuple[str, list[str]]:
    """The tree of the merge, and the paths in conflict."""
    arguments = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", destination, source)
    output = await git.run(tables.path(ctx, repository), *arguments, allowed=(0, 1))
    tree, *conflicts = [part for part in output.decode(errors="replace").split("\0") if part]
    return tree.strip(), conflicts


def _manual(message: str) -> AwsError:
    return AwsError("ManualMergeRequiredException", message)
