"""Deliveries: webhook calls that are kept before they are answered, and carried out afterwards, once.

A delivery is Received, then Processed, Ignored or Failed (with the reason). Redelivering carries the kept payload
out again. Of refused deliveries only the last is kept, without its payload: anybody may send them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.codeconnections import github, repositories
from homeport.engine.services.codeconnections.changes import Change, Listeners
from homeport.engine.services.codeconnections.tables import CONNECTIONS, DELIVERIES, WATCHES, Row
from homeport.engine.services.context import Context

REFUSED = "refused"
"""The id under which the last refused delivery is kept."""


def receive(ctx: Context, connection: Row, delivery_id: str, event: str, digest: str, size: int) -> bool:
    """Keep a delivery and start to carry it out; False when it was received before. Its signature is over the payload
    alone, so the same payload under another id is a replay, too."""
    with ctx.store.transaction():
        if DELIVERIES.get(ctx, connection["id"], delivery_id):
            return False
        if DELIVERIES.list(ctx, connection["id"], payload=digest, limit=1):
            return False
        row = {
            "connectionId": connection["id"],
            "deliveryId": delivery_id,
            "event": event,
            "payload": digest,
            "size": size,
            "receivedAt": ctx.now(),
            "status": "Received",
            "attempt": 1,
        }
        DELIVERIES.put(ctx, row)
        _carry_out(ctx, row)
    return True


def refuse(ctx: Context, connection: Row, reason: str) -> None:
    """Remember that a delivery was refused."""
    now = ctx.now()
    row = {"connectionId": connection["id"], "deliveryId": REFUSED, "event": "", "status": "Refused"}
    DELIVERIES.put(ctx, row | {"reason": reason, "receivedAt": now, "endedAt": now, "attempt": 1, "size": 0})


def redeliver(ctx: Context, connection: Row, delivery_id: str) -> Row | None:
    """Carry a delivery out again; None when there is none of this id."""
    with ctx.store.transaction():
        row = DELIVERIES.get(ctx, connection["id"], delivery_id)
        if row is None or row["status"] in ("Received", "Refused"):
            return row
        row |= {"status": "Received", "attempt": row["attempt"] + 1}
        row.pop("reason", None)
        DELIVERIES.put(ctx, row)
        _carry_out(ctx, row)
    return row


def _carry_out(ctx: Context, row: Row) -> None:
    id = f"{row['connectionId']}/{row['deliveryId']}/{row['attempt']}"
    ctx.start(DELIVERY, id, {"connectionId": row["connectionId"], "deliveryId": row["deliveryId"]})


async def _run(x: Execution) -> None:
    ctx: Context = x.ctx
    row = DELIVERIES.get(ctx, x.input["connectionId"], x.input["deliveryId"])
    connection = CONNECTIONS.get(ctx, x.input["connectionId"])
    if row is None or connection is None:
        return
    payload = b"".join([chunk async for chunk in ctx.blobs.read(row["payload"])])
    try:
        change = github.change(row["event"], json.loads(payload))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        _end(ctx, row, "Failed", reason=f"the payload is not that of a {row['event']} event: {error!r}")
        return
    if change is None:
        _end(ctx, row, "Ignored", reason=f"the event {row['event']} starts no pipeline")
        return
    if not change.paths_known:
        change = await with_paths(ctx, connection, change)
    with ctx.store.transaction():
        started = tell(ctx, connection, change, again=row["attempt"] > 1)
        status = "Processed" if started else "Ignored"
        _end(ctx, row, status, started=started, reason="" if started else "no pipeline is to be started")


async def with_paths(ctx: Context, connection: Row, change: Change) -> Change:
    """The change with the paths that git finds in the repository itself."""
    mirror = await repositories.mirror(ctx, connection, change.repository, change.commit)
    paths = await repositories.changed_paths(mirror, change.before, change.commit)
    return replace(change, event=replace(change.event, paths=paths), paths_known=True)


def tell(ctx: Context, connection: Row, change: Change, again: bool = False) -> list[str]:
    """Start the pipelines that wait for the change, unless they were told of this head already (`again`: even
    then); returns their executions. Call inside a transaction."""
    watch = WATCHES.get(ctx, connection["id"], change.repository) or {
        "connectionId": connection["id"],
        "repository": change.repository,
        "heads": None,
    }
    known = (watch["heads"] or {}).get(change.reference)
    if known == change.commit and not again:
        return []
    if not change.reference.startswith("refs/pull/"):
        watch["heads"] = {**(watch["heads"] or {}), change.reference: change.commit}
        WATCHES.put(ctx, watch)
    return ctx.engine.part(Listeners).tell(ctx, connection["id"], change)


def _end(ctx: Context, row: Row, status: str, **members: Any) -> None:
    DELIVERIES.put(ctx, row | {"status": status, "endedAt": ctx.now()} | members)


async def _failed(x: Execution, error: Exception) -> None:
    row = DELIVERIES.get(x.ctx, x.input["connectionId"], x.input["deliveryId"])
    if row:
        _end(x.ctx, row, "Failed", reason=str(error)[:1000])


DELIVERY = ExecutionKind("codeconnections.delivery", _run, _failed)
