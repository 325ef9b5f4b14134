"""Polling, for the machines that no webhook reaches: the heads of watched repositories, compared with those that
pipelines were told of."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.codecommit.git import NULL
from homeport.engine.services.codeconnections import deliveries, repositories
from homeport.engine.services.codeconnections.changes import Change, Push
from homeport.engine.services.codeconnections.tables import CONNECTIONS, WATCHES
from homeport.engine.services.context import Context
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

NAME = "codeconnections.watch"
EVERY = 30.0
"""Seconds between two looks at a repository."""


def watch(ctx: Context, connection_id: str, repository: str) -> None:
    """Look at a repository from now on; what it has now is the beginning."""
    if WATCHES.get(ctx, connection_id, repository) is None:
        WATCHES.put(ctx, {"connectionId": connection_id, "repository": repository, "heads": None})
    ctx.wake(NAME, f"{connection_id} {repository}")


async def _reconcile(ctx: Context, key: str) -> float | None:
    connection_id, _, repository = key.partition(" ")
    connection = CONNECTIONS.get(ctx, connection_id)
    row = WATCHES.get(ctx, connection_id, repository)
    if connection is None or row is None:
        return None
    try:
        heads = await repositories.heads(ctx, connection, repository)
        await _compare(ctx, connection, repository, heads)
    except AwsError as error:
        log.info("%s: %s", repository, error.message)
    return EVERY


async def _compare(ctx: Context, connection: Any, repository: str, heads: dict[str, str]) -> None:
    row = WATCHES.get(ctx, connection["id"], repository)
    if row is None:
        return
    known = row["heads"]
    if known is None:
        WATCHES.put(ctx, row | {"heads": heads})
        return
    changes = [
        _change(repository, name, known.get(name, NULL), commit)
        for name, commit in heads.items()
        if known.get(name) != commit
    ]
    for change in changes:
        told = await deliveries.with_paths(ctx, connection, change)
        with ctx.store.transaction():
            row = WATCHES.get(ctx, connection["id"], repository) or {}
            if (row.get("heads") or {}).get(change.reference) == known.get(change.reference):
                deliveries.tell(
                    ctx, connection, told
                )  # else a webhook came meanwhile, and tells of a newer one
    if gone := set(known) - set(heads):
        row = WATCHES.get(ctx, connection["id"], repository)
        if row and row["heads"]:
            left = {name: commit for name, commit in row["heads"].items() if name not in gone}
            WATCHES.put(ctx, row | {"heads": left})


def _change(repository: str, name: str, before: str, commit: str) -> Change:
    if name.startswith("refs/tags/"):
        return Change(repository, Push(tag=name.removeprefix("refs/tags/")), commit, name, before)
    return Change(repository, Push(branch=name.removeprefix("refs/heads/")), commit, name, before)


def _keys(engine: Any) -> Iterable[tuple[Scope, str]]:
    rows = WATCHES.everywhere(engine.store)
    return [(scope, f"{row['connectionId']} {row['repository']}") for scope, row in rows]


RECONCILER = Reconciler(NAME, _keys, _reconcile)
