"""Statistic sets: what is kept of many values, and the statistics that are read from it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_EXACT = 100
_STEP = math.log(1.02)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


@dataclass(slots=True)
class StatisticSet:
    """Count, sum, extremes, and how often each value came. From a hundred different values on, those within two per
    cent of each other count as one, so that a set stays small whatever it is given."""

    count: float = 0.0
    sum: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    histogram: dict[float, float] = field(default_factory=dict)

    def add(self, value: float, times: float = 1.0) -> None:
        """Count a value."""
        self.merge(StatisticSet(times, value * times, value, value, {value: times}))

    def merge(self, other: StatisticSet) -> None:
        """Count all that another set has."""
        self.count += other.count
        self.sum += other.sum
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        for value, times in other.histogram.items():
            self.histogram[value] = self.histogram.get(value, 0.0) + times
        if len(self.histogram) > _EXACT:
            rounded: dict[float, float] = {}
            for value, times in self.histogram.items():
                near = _near(value)
                rounded[near] = rounded.get(near, 0.0) + times
            self.histogram = rounded

    def statistic(self, name: str) -> float | None:
        """`Average`, `Sum`, `p99`, …; None for a percentile of values that are not known one by one."""
        if name == "Average":
            return self.sum / self.count if self.count else 0.0
        if name in ("Sum", "SampleCount", "Minimum", "Maximum"):
            return {
                "Sum": self.sum,
                "SampleCount": self.count,
                "Minimum": self.minimum,
                "Maximum": self.maximum,
            }[name]
        if name == "IQM":
            return self._interquartile_mean()
        found = _PERCENTILE.fullmatch(name)
        return self._percentile(float(found[1])) if found else None

    def _percentile(self, percent: float) -> float | None:
        if not self.histogram:
            return None
        rank, passed = percent / 100 * sum(self.histogram.values()), 0.0
        for value in sorted(self.histogram):
            passed += self.histogram[value]
            if passed >= rank - 1e-9:
                return min(max(value, self.minimum), self.maximum)
        return self.maximum

    def _interquartile_mean(self) -> float | None:
        if not self.histogram:
            return None
        total, passed, mass, weight = sum(self.histogram.values()), 0.0, 0.0, 0.0
        for value in sorted(self.histogram):
            low, high = passed, passed + self.histogram[value]
            share = max(0.0, min(high, total * 0.75) - max(low, total * 0.25))
            mass, weight, passed = mass + value * share, weight + share, high
        return mass / weight if weight else None


def is_statistic(name: str) -> bool:
    """Whether homeport has the statistic of this name."""
    simple = ("Average", "Sum", "SampleCount", "Minimum", "Maximum", "IQM")
    return name in simple or _PERCENTILE.fullmatch(name) is not None


def merged(sets: Iterable[StatisticSet]) -> StatisticSet:
    """One set of all."""
    whole = StatisticSet()
    for each in sets:
        whole.merge(each)
    return whole


def _near(value: float) -> float:
    if value == 0:
        return 0.0
    return math.copysign(math.exp(round(math.log(abs(value)) / _STEP) * _STEP), value)
