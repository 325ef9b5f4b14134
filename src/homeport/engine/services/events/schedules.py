"""Schedule expressions of rules: `rate(5 minutes)` and `cron(0 12 * * ? *)`, in UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

_UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.+)\)")
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

DayTest = Callable[[date], bool]


class InvalidSchedule(ValueError):
    """The text is no schedule expression."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so many seconds, counted from when the rule was made."""

    seconds: float

    def next_after(self, moment: float, start: float) -> float | None:
        """The first time after `moment` (epoch seconds) of a rule that was made at `start`."""
        passed = max(0, int((moment - start) // self.seconds))
        return start + (passed + 1) * self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that all fields name."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day: DayTest

    def names(self, moment: datetime) -> bool:
        """Whether the moment lies in a minute that all fields name."""
        return (
            moment.year in self.years
            and moment.month in self.months
            and moment.hour in self.hours
            and moment.minute in self.minutes
            and self.day(moment.date())
        )

    def next_after(self, moment: float, start: float) -> float | None:
        """The first such minute after `moment` (epoch seconds), None when there is none any more."""
        earliest = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = earliest.date()
        while day.year <= max(self.years):
            if day.year not in self.years or day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self.day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        candidate = datetime.combine(day, time(hour, minute), UTC)
                        if candidate >= earliest:
                            return candidate.timestamp()
            day += timedelta(days=1)
        return None


Schedule = Rate | Cron


@lru_cache(maxsize=256)
def parse_schedule(expression: str) -> Schedule:
    """The schedule of this expression. Raises InvalidSchedule."""
    if match := _RATE.fullmatch(expression):
        value = int(match[1])
        if value < 1 or (value == 1) == bool(match[3]):
            raise InvalidSchedule("a rate of 1 has a singular unit, any other a plural one")
        return Rate(value * _UNITS[match[2]])
    if match := _CRON.fullmatch(expression):
        return _cron(match[1].split())
    raise InvalidSchedule(
        "expected rate(value unit) or cron(minutes hours day-of-month month day-of-week year)"
    )


def _cron(fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise InvalidSchedule("a cron expression has six fields")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise InvalidSchedule("exactly one of day-of-month and day-of-week is ?")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59))),
        hours=tuple(sorted(_numbers(hours, 0, 23))),
        months=frozenset(_numbers(months, 1, 12, _MONTHS)),
        years=frozenset(_numbers(years, _FIRST_YEAR, _LAST_YEAR)),
        day=_days_of_month(days) if weekdays == "?" else _days_of_week(weekdays),
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """The numbers that a field names: `*`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of them."""
    found: set[int] = set()
    for part in field.split(","):
        body, slash, step = part.partition("/")
        if slash and not (step.isdigit() and int(step) > 0):
            raise InvalidSchedule(f"{part!r} has no step")
        first, dash, last = body.partition("-")
        start = low if body == "*" else _number(first, low, high, names)
        open_end = high if slash or body == "*" else start
        end = _number(last, low, high, names) if dash else open_end
        if end < start:
            span: Iterable[int] = [*range(start, high + 1), *range(low, end + 1)]
        else:
            span = range(start, end + 1)
        found.update(list(span)[:: int(step) if slash else 1])
    return found


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = int(text) if text.isdigit() else (names or {}).get(text.capitalize(), -1)
    if not low <= number <= high:
        raise InvalidSchedule(f"{text!r} is not between {low} and {high}")
    return number


def _days_of_month(field: str) -> DayTest:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field == "LW":
        return lambda day: day.day == _nearest_weekday(day, _length(day))
    if match := re.fullmatch(r"(\d+)W", field):
        wanted = _number(match[1], 1, 31, None)
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, number: int) -> int:
    """The weekday of the month nearest to this day of it."""
    weekday = day.replace(day=number).weekday()
    if weekday == calendar.SATURDAY:
        return number - 1 if number > 1 else number + 2
    if weekday == calendar.SUNDAY:
        return number + 1 if number < _length(day) else number - 2
    return number


def _days_of_week(field: str) -> DayTest:
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        wanted, nth = _number(match[1], 1, 7, _DAYS), int(match[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == nth
    if match := re.fullmatch(r"(\w+)L", field):
        wanted = _number(match[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day > _length(day) - 7
    numbers = {7} if field == "L" else _numbers(field, 1, 7, _DAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1
