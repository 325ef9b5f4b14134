"""DeploymentWindow: waits until a window of time is open, given as a cron expression.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from homeport.engine.services.codepipeline.actions.contract import DAY, ActionFailed, Property
from homeport.engine.services.codepipeline.rules.contract import RuleProvider

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 1, 7),
)


async def _run(running: Running) -> str:
    cron = running.configuration["Cron"]
    zone_name = running.configuration.get("TimeZone", "UTC")
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ActionFailed(f"'{zone_name}' is not a time zone", code="ConfigurationError") from None

    async def opened() -> str | None:
        moment = datetime.fromtimestamp(running.ctx.now(), zone)
        return moment.isoformat(timespec="seconds") if is_open(cron, moment) else None

    return f"The window {cron} ({zone_name}) was open at {await running.until(opened, every=20)}"


def is_open(cron: str, moment: datetime) -> bool:
    """Whether the moment's minute is one that the expression names (minute, hour, day of month, month, day of
    week, year; days of week count from SUN = 1). Raises ActionFailed for what is no expression."""
    parts = cron.upper().split()
    if len(parts) not in (5, 6):
        raise _invalid(cron, "it must have six fields")
    week_day = moment.isoweekday() % 7 + 1
    values = (moment.minute, moment.hour, moment.day, moment.month, week_day)
    for part, value, (noun, least, most) in zip(parts, values, _FIELDS, strict=False):
        names = _MONTHS if noun == "month" else _DAYS if noun == "day of week" else ()
        if not _names(cron, part, value, least, most, {name: i + 1 for i, name in enumerate(names)}):
            return False
    return len(parts) == 5 or _names(cron, parts[5], moment.year, 1970, 2199, {})


def _names(cron: str, part: str, value: int, least: int, most: int, words: dict[str, int]) -> bool:
    def number(text: str) -> int:
        if text in words:
            return words[text]
        if not text.isdecimal() or not least <= int(text) <= most:
            raise _invalid(cron, f"'{text}' is not between {least} and {most}")
        return int(text)

    for item in part.split(","):
        span, _, step = item.partition("/")
        if step and not step.isdecimal():
            raise _invalid(cron, f"'{step}' is not a step")
        if span in ("*", "?"):
            low, high = least, most
        elif "-" in span:
            low, high = (number(end) for end in span.split("-", 1))
        else:
            low = number(span)
            high = most if step else low
        if low <= value <= high and (value - low) % max(int(step or 1), 1) == 0:
            return True
    return False


def _invalid(cron: str, why: str) -> ActionFailed:
    return ActionFailed(f"'{cron}' is not a cron expression: {why}", code="ConfigurationError")


PROVIDER = RuleProvider(
    name="DeploymentWindow",
    properties=(Property("Cron", True), Property("TimeZone")),
    run=_run,
    timeout=30 * DAY,
)
