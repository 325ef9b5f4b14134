"""From moved references to events, losing none: what git has is compared with what was last told of.

A push is written down by git's post-receive hook, in order; what no hook wrote (the engine or git was killed in
between) is found by comparing the references themselves. Telling an event and recording the head that it tells
of are one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.codecommit import events, git, pull_requests, tables
from homeport.engine.services.codecommit.git import NULL, Reference
from homeport.engine.services.codecommit.tables import REFERENCES, REPOSITORIES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

NAME = "codecommit.repository"


class Pushing:
    """How many pushes each repository receives at this moment: while there are any, only the hook tells, since
    a comparison could see a reference before the hook has written down how it got there."""

    def __init__(self, engine: Engine) -> None:
        self._running: Counter[str] = Counter()

    @contextmanager
    def push(self, repository_id: str) -> Iterator[None]:
        self._running[repository_id] += 1
        try:
            yield
        finally:
            self._running[repository_id] -= 1

    def quiet(self, repository_id: str) -> bool:
        """Whether nobody pushes now."""
        return not self._running[repository_id]


def record(ctx: Context, repository: Row, change: Reference) -> bool:
    """Tell of one change and record it, unless the recorded head is not the one that it changed. Call inside a
    transaction."""
    id = repository["repositoryId"]
    known = REFERENCES.get(ctx, id, change.name)
    if (known["head"] if known else NULL) != change.old or change.old == change.new:
        return False
    if change.new == NULL:
        REFERENCES.delete(ctx, id, change.name)
    else:
        REFERENCES.put(ctx, {"repositoryId": id, "name": change.name, "head": change.new})
        _choose_default_branch(ctx, repository["repositoryName"], change.name)
    events.reference_changed(ctx, repository, change)
    if change.new != NULL:
        pull_requests.source_moved(ctx, repository["repositoryName"], change.name, change.new)
    return True


def _choose_default_branch(ctx: Context, name: str, reference: str) -> None:
    """The first branch of a repository becomes its default branch."""
    row = tables.repository(ctx, name)
    if row["defaultBranch"] is None and reference.startswith("refs/heads/"):
        REPOSITORIES.put(ctx, row | {"defaultBranch": reference.removeprefix("refs/heads/")})


async def _reconcile(ctx: Context, repository_id: str) -> float | None:
    found = REPOSITORIES.list(ctx, repositoryId=repository_id)
    if not found:
        return None
    repository, pushing = found[0], ctx.engine.part(Pushing)
    path = tables.path(ctx, repository)
    changes, offset = git.pushes(path, repository["offset"])
    if changes:
        with ctx.store.transaction():
            for change in changes:
                record(ctx, repository, change)
            _touch(ctx, repository["repositoryName"], offset)
    if not pushing.quiet(repository_id):
        return None
    actual = await git.references(path)
    if not pushing.quiet(repository_id):
        return None
    with ctx.store.transaction():
        for change in _missed(ctx, repository_id, actual):
            record(ctx, repository, change)
            _touch(ctx, repository["repositoryName"], offset)
    await _point_head(path, tables.repository(ctx, repository["repositoryName"])["defaultBranch"])
    return None


async def _point_head(path: Path, branch: str | None) -> None:
    """Clones check the default branch out."""
    head = f"refs/heads/{branch}"
    if branch and (path / "HEAD").read_text() != f"ref: {head}\n":
        await git.run(path, "symbolic-ref", "HEAD", head)


def _missed(ctx: Context, repository_id: str, actual: dict[str, str]) -> list[Reference]:
    known = {row["name"]: row["head"] for row in REFERENCES.list(ctx, repository_id)}
    names = sorted(known.keys() | actual.keys())
    changes = [Reference(known.get(name, NULL), actual.get(name, NULL), name) for name in names]
    return [change for change in changes if change.old != change.new]


def _touch(ctx: Context, name: str, offset: int) -> None:
    row = tables.repository(ctx, name)
    REPOSITORIES.put(ctx, row | {"offset": offset, "lastModifiedDate": ctx.now()})


def _keys(engine: Any) -> list[tuple[Scope, str]]:
    return [(scope, row["repositoryId"]) for scope, row in REPOSITORIES.everywhere(engine.store)]


RECONCILER = Reconciler(NAME, _keys, _reconcile)
