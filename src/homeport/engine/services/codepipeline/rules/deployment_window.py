"""DeploymentWindow: waits until a window of time is open, given as a cron expression.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homeport.engine.services.codepipeline.actions.contract import DAY, ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider
from homeport.engine.services.events.schedules import Cron, InvalidSchedule, parse_schedule

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> str:
    expression = running.configuration["Cron"]
    zone_name = running.configuration.get("TimeZone", "UTC")
    opening = window(expression)
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ActionFailed(f"'{zone_name}' is not a time zone", code="ConfigurationError") from None

    async def opened() -> str | None:
        moment = datetime.fromtimestamp(running.ctx.now(), zone)
        return moment.isoformat(timespec="seconds") if opening.names(moment) else None

    return f"The window {expression} ({zone_name}) was open at {await running.until(opened, every=20)}"


def window(expression: str) -> Cron:
    """The window of an expression: seconds (always `*`), minutes, hours, day of month, month, day of week, and a year
    that may be left out. Raises ActionFailed for what is no such expression."""
    seconds, *fields = expression.split() or [""]
    years = [] if len(fields) == 6 else ["*"]
    try:
        if seconds != "*":
            raise InvalidSchedule("its seconds must be *")
        schedule = parse_schedule(f"cron({' '.join([*fields, *years])})")
    except InvalidSchedule as error:
        raise ActionFailed(
            f"'{expression}' is not a cron expression of six or seven fields: {error}",
            code="ConfigurationError",
        ) from None
    assert isinstance(schedule, Cron)
    return schedule


PROVIDER = RuleProvider(
    name="DeploymentWindow",
    properties=(Property("Cron", True), Property("TimeZone")),
    run=_run,
    timeout=30 * DAY,
)
