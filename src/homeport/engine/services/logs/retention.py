"""Retention: what is older than a group keeps is deleted from disk."""

from __future__ import annotations

from collections.abc import Iterator

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.logs import files
from homeport.engine.services.logs.groups import GROUPS, RETENTION_LOOP, millis
from homeport.engine.services.logs.streams import list_streams
from homeport.engine.store.database import Scope

DAY = 86_400_000
_EVERY = 3600.0


def _groups(engine: Engine) -> Iterator[tuple[Scope, str]]:
    for scope, group in GROUPS.everywhere(engine.store):
        if "retentionInDays" in group:
            yield scope, group["logGroupName"]


async def _expire(ctx: Context, name: str) -> float | None:
    group = GROUPS.get(ctx, name)
    if group is None or "retentionInDays" not in group:
        return None
    before = millis(ctx) - group["retentionInDays"] * DAY
    for stream in list_streams(ctx, name):
        if stream["first"] is not None and stream["first"] < before:
            files.expire(ctx, stream["id"], before)
    return _EVERY


RETENTION = Reconciler(RETENTION_LOOP, _groups, _expire)
