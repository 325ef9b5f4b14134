"""EventBridge: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.events import buses, delivery, publishing, rules, targets, timetable
from homeport.engine.services.service import Service

SERVICE = Service(
    "events",
    modules=(buses, rules, targets, publishing),
    executions=(delivery.DELIVERY,),
    reconcilers=(publishing.OUTBOX, timetable.TIMETABLE),
    resource_policy=buses.resource_policy,
)
