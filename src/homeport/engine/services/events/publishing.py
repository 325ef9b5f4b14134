"""Events on their way from who tells of them to the rules that want them.

PutEvents and the outbox of the engine's own services lead to the same place: an accepted event has become one
durable delivery for each target of each rule that matches, in the transaction that accepted it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Iterable, Iterator
from sqlite3 import Row
from typing import Any

import orjson

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import OUTBOX_TOPIC, Context, iso
from homeport.engine.services.engine import Engine
from homeport.engine.services.events.buses import DEFAULT, RULES, bus_name, find_bus
from homeport.engine.services.events.delivery import DELIVERY
from homeport.engine.services.events.patterns import compile_pattern
from homeport.engine.services.events.transformers import target_input
from homeport.engine.services.service import operation
from homeport.engine.store.database import Scope
from homeport.engine.store.table import Body
from homeport.engine.wire.call import new_id
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

Event = dict[str, Any]

_MAX_ENTRY = 1024 * 1024
_ALL = Scope("*", "*")
_BATCH = 100
_GATHER_SECONDS = 0.02
"""So long after others an event waits for more, with which it shares a transaction. One after a pause does not wait."""


@operation
async def put_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
    if sum(map(_size, request["Entries"])) > _MAX_ENTRY:
        raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")
    results: list[dict[str, str]] = []
    with ctx.store.transaction():
        for entry in request["Entries"]:
            results.append(_refusal(ctx, entry) or {"EventId": _put(ctx, entry)})
    return {"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results}


def _size(entry: dict[str, Any]) -> int:
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    return sum(len(text.encode()) for text in [*texts, *(entry.get("Resources") or [])])


def _refusal(ctx: Context, entry: dict[str, Any]) -> dict[str, str] | None:
    """Why an entry is not accepted, None when it is."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    try:
        if not isinstance(json.loads(entry["Detail"]), dict):
            raise ValueError
    except ValueError:
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    if entry["Source"].startswith("aws.") and ctx.principal.type != "Service":
        message = "Not authorized for the source."
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": message}
    return None


def _put(ctx: Context, entry: dict[str, Any]) -> str:
    event = {
        "version": "0",
        "id": new_id(),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": ctx.account,
        "time": iso(entry.get("Time") or ctx.now()),
        "region": ctx.region,
        "resources": entry.get("Resources") or [],
        "detail": json.loads(entry["Detail"]),
    }
    name = bus_name(entry.get("EventBusName"))
    try:
        find_bus(ctx, name)
    except AwsError:
        # EventBridge accepts what is sent to a bus that does not exist, and drops it.
        return str(event["id"])
    accept(ctx, name, [event])
    return str(event["id"])


def accept(ctx: Context, bus: str, events: Iterable[Event]) -> None:
    """Start the deliveries of events; call it in a transaction."""
    enabled = [rule for rule in RULES.list(ctx, bus) if rule["State"] != "DISABLED"]
    patterns = [(compile_pattern(rule["EventPattern"]), rule) for rule in enabled if rule.get("EventPattern")]
    if not patterns:
        return
    for event in events:
        for pattern, rule in patterns:
            try:
                if pattern.matches(event):
                    deliver(ctx, rule, event)
            except Exception:  # a bug with one rule must not hold up what others wait for
                log.exception("the event %s does not reach the rule %s", event["id"], rule["Arn"])


def deliver(ctx: Context, rule: Body, event: dict[str, Any]) -> None:
    """Start the deliveries of an event for one rule; call it in a transaction."""
    now = ctx.now()
    for target in rule["Targets"]:
        text = target_input(target, event, rule["Arn"], iso(now))
        work = {"target": target, "text": text, "rule": rule["Arn"], "accepted": now}
        ctx.start(DELIVERY, uuid.uuid4().hex, work)


async def _empty_outbox(ctx: Context, key: str) -> float | None:
    """Accept what the engine's services have told of, and go on as they tell more."""
    with ctx.engine.signals.listen([OUTBOX_TOPIC]) as heard:
        while True:
            rows = ctx.store.execute("SELECT * FROM engine_outbox ORDER BY id LIMIT ?", _BATCH)
            if rows:
                with ctx.store.transaction():
                    for scope, events in _by_scope(rows).items():
                        accept(ctx.within(scope), DEFAULT, events)
                    ctx.store.execute("DELETE FROM engine_outbox WHERE id <= ?", rows[-1]["id"])
            if len(rows) < _BATCH:
                await asyncio.sleep(_GATHER_SECONDS)
                await heard.wait(60.0)


def _by_scope(rows: Iterable[Row]) -> dict[Scope, Iterator[Event]]:
    """The events, which are read only if somebody wants them."""
    found: dict[Scope, list[str]] = {}
    for row in rows:
        found.setdefault(Scope(row["account"], row["region"]), []).append(row["entry"])
    return {scope: map(orjson.loads, entries) for scope, entries in found.items()}


def _outbox(engine: Engine) -> Iterator[tuple[Scope, str]]:
    yield _ALL, "outbox"


OUTBOX = Reconciler("events.outbox", _outbox, _empty_outbox)
