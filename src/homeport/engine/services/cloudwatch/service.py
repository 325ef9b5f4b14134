"""CloudWatch: what the engine runs of it."""

from __future__ import annotations

from homeport.engine.services.cloudwatch import alarms, dashboards, metrics, points, states, watch
from homeport.engine.services.service import Service

SERVICE = Service(
    "cloudwatch",
    modules=(metrics, alarms, dashboards),
    executions=(states.ACTION,),
    reconcilers=(watch.WATCH, points.EXPIRY),
)
