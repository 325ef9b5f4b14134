"""Deliveries: webhook calls that are kept before they are answered, and carried out afterwards, once.

A delivery is Received, then Processed, Ignored or Failed (with the reason). Redelivering carries the kept payload
out again, as long as it is kept. Of refused deliveries only the last is kept, without its payload: anybody may send
them.
"""

from __future__ import annotations

import hashlib
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
PAYLOAD_SECONDS = 3 * 24 * 3600.0
"""How long a delivery can be carried out again, as on GitHub.
https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks"""
DELIVERY_SECONDS = 90 * 24 * 3600.0
"""How long it is told of, and replays of it are known."""


def receive(ctx: Context, connection: Row, delivery_id: str, event: str, payload: bytes) -> bool:
    """Keep a delivery and start to carry it out; False when it was received before. Its signature is over the payload
    alone, so the same payload under another id is a replay, too."""
    digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
    with ctx.store.transaction():
        _forget_old(ctx)
        if DELIVERIES.get(ctx, connection["id"], delivery_id):
            return False
        if DELIVERIES.list(ctx, connection["id"], payload=digest, limit=1):
            return False
        row = {
            "connectionId": connection["id"],
            "deliveryId": delivery_id,
            "event": event,
            "payload": digest,
            "size": len(payload),
            "receivedAt": ctx.now(),
            "status": "Received",
            "attempt": 1,
        }
        DELIVERIES.put(ctx, row)
        ctx.store.execute(
            "INSERT INTO codeconnections_payloads VALUES (?, ?, ?, ?, ?, ?)",
            *(*ctx.scope, connection["id"], delivery_id, row["receivedAt"], payload),
        )
        _carry_out(ctx, row)
    return True


def _forget_old(ctx: Context) -> None:
    store, now = ctx.store, ctx.now()
    store.execute("DELETE FROM codeconnections_payloads WHERE receivedAt < ?", now - PAYLOAD_SECONDS)
    store.execute(
        "DELETE FROM codeconnections_deliveries WHERE json_extract(body, '$.receivedAt') < ?",
        now - DELIVERY_SECONDS,
    )


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
    payload = _payload(ctx, row)
    if payload is None:
        _end(ctx, row, "Failed", reason="the payload is not kept any more")
        return
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


def _payload(ctx: Context, row: Row) -> bytes | None:
    rows = ctx.store.execute(
        "SELECT payload FROM codeconnections_payloads "
        "WHERE account = ? AND region = ? AND connectionId = ? AND deliveryId = ?",
        *(*ctx.scope, row["connectionId"], row["deliveryId"]),
    )
    return rows[0]["payload"] if rows else None


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
