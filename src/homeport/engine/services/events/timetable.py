"""The reconciler that fires scheduled rules. A time that passed while no engine ran fires once, at its start."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context, iso
from homeport.engine.services.engine import Engine
from homeport.engine.services.events.buses import DEFAULT, RULES
from homeport.engine.services.events.publishing import deliver
from homeport.engine.services.events.rules import SCHEDULE_LOOP
from homeport.engine.services.events.schedules import parse_schedule
from homeport.engine.store.database import Scope

_LONGEST = 86_400.0


def _scheduled(engine: Engine) -> Iterator[tuple[Scope, str]]:
    for scope, rule in RULES.everywhere(engine.store):
        if rule.get("ScheduleExpression"):
            yield scope, rule["Name"]


async def _fire(ctx: Context, name: str) -> float | None:
    rule = RULES.get(ctx, DEFAULT, name)
    if not rule or not rule.get("ScheduleExpression") or rule["State"] == "DISABLED":
        return None
    schedule, now = parse_schedule(rule["ScheduleExpression"]), ctx.now()
    start: float = rule["Start"]
    fired: float = rule.get("Fired", start)
    due = schedule.next_after(fired, start)
    if due is not None and due <= now:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ctx.account,
            "time": iso(due),
            "region": ctx.region,
            "resources": [rule["Arn"]],
            "detail": {},
        }
        with ctx.store.transaction():
            RULES.put(ctx, {**rule, "Fired": now})
            deliver(ctx, rule, event)
        due = schedule.next_after(now, start)
    return None if due is None else min(max(due - ctx.now(), 0.0), _LONGEST)


TIMETABLE = Reconciler(SCHEDULE_LOOP, _scheduled, _fire)
