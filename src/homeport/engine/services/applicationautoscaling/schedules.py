"""When a scheduled action runs: `at(…)`, `rate(…)`, `cron(…)`, in its time zone.

AWS: https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homeport.engine.services.events.schedules import InvalidSchedule, Rate, parse_schedule

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


def next_run(expression: str, zone: str, after: float, since: float) -> float | None:
    """The first time after `after` (epoch seconds), None when there is none any more; rates count from `since`.

    Raises InvalidSchedule.
    """
    place = _zone(zone)
    if match := _AT.fullmatch(expression):
        moment = datetime.fromisoformat(match[1]).replace(tzinfo=place).timestamp()
        return moment if moment > after else None
    schedule = parse_schedule(expression)
    if isinstance(schedule, Rate):
        return schedule.next_after(after, since)
    local = _as_if_utc(datetime.fromtimestamp(after, place))
    found = schedule.next_after(local, local)
    if found is None:
        return None
    moment = datetime.fromtimestamp(found, UTC).replace(tzinfo=place).timestamp()
    return (
        moment if moment > after else moment + timedelta(hours=1).total_seconds()
    )  # the hour that is there twice


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidSchedule(f"{name!r} is no time zone") from None


def _as_if_utc(local: datetime) -> float:
    return local.replace(tzinfo=UTC).timestamp()
