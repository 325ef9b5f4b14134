"""How an alarm's state follows from its metric's data points.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
TreatMissing = Literal["missing", "ignore", "breaching", "notBreaching"]

COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, bound: value >= bound),
    "GreaterThanThreshold": ("greater than", lambda value, bound: value > bound),
    "LessThanThreshold": ("less than", lambda value, bound: value < bound),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, bound: value <= bound),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The settings of an alarm that decide on its state."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    treat_missing: TreatMissing = "missing"

    @property
    def evaluation_range(self) -> int:
        """How many periods are looked at: more than are evaluated, so that some may be missing."""
        return self.periods + 2 if self.periods > 1 else 3


class Point(NamedTuple):
    """One data point: the start of its period (epoch seconds) and the statistic's value."""

    timestamp: float
    value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state, AWS's sentence about it, and the data points that it was made from, newest last."""

    state: State
    reason: str
    points: tuple[Point, ...]


def evaluate(rule: Rule, points: Sequence[Point | None], current: State) -> Verdict:
    """The verdict on the points of the evaluation range, oldest first; None where a period has no data."""
    _, breaches = COMPARISONS[rule.comparison]
    real = [point for point in points if point is not None][-rule.periods :]
    recent = list(points)[-rule.periods :]
    if None not in recent:
        real = [point for point in recent if point is not None]
    breaching = [breaches(point.value, rule.threshold) for point in real]
    missing = rule.periods - len(real)
    if missing and rule.treat_missing in ("breaching", "notBreaching"):
        breaching += [rule.treat_missing == "breaching"] * missing
        missing = 0
    if sum(breaching) >= rule.datapoints:
        state: State = "ALARM"
    elif not missing or not all(breaching):
        state = "OK"
    else:
        state = _state_of_sparse(rule, points, current)
    return Verdict(state, _reason(rule, state, real), tuple(real))


def _state_of_sparse(rule: Rule, points: Sequence[Point | None], current: State) -> State:
    """Some points are missing, and all that are there (too few for an alarm) breach."""
    if rule.treat_missing == "ignore":
        return current
    ages = [age for age, point in zip(range(len(points), 0, -1), points, strict=True) if point is not None]
    if not ages:
        return "INSUFFICIENT_DATA"
    return "ALARM" if ages[0] >= rule.datapoints else current


def _reason(rule: Rule, state: State, points: Sequence[Point]) -> str:
    """AWS's sentence, as DescribeAlarms and the notifications show it."""
    if not points:
        return _reason_without_data(rule, state)
    words, breaches = COMPARISONS[rule.comparison]
    alarm = state == "ALARM"
    chosen = [point for point in points if breaches(point.value, rule.threshold) == alarm] or list(points)
    listed = ", ".join(
        f"{float(point.value)} ({datetime.fromtimestamp(point.timestamp, UTC):%d/%m/%y %H:%M:%S})"
        for point in reversed(chosen)
    )
    verb = "was" if len(chosen) == 1 else "were"
    needed = rule.datapoints if alarm else rule.periods - rule.datapoints + 1
    transition = "OK -> ALARM" if alarm else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(chosen)} out of the last {len(points)} datapoints [{listed}] {verb} "
        f"{'' if alarm else 'not '}{words} the threshold ({float(rule.threshold)}) "
        f"(minimum {_count(needed, 'datapoint')} for {transition} transition)."
    )


def _reason_without_data(rule: Rule, state: State) -> str:
    missing = _count(rule.periods, "missing datapoint")
    verb = "was" if rule.periods == 1 else "were"
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_count(rule.periods, 'datapoint')} {verb} unknown."
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.treat_missing, "Ignored")
    return (
        f"Threshold Crossed: no datapoints were received for {_count(rule.periods, 'period')} and "
        f"{missing} {verb} treated as [{treated}]."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
