"""Step scaling's arithmetic.

AWS: https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from typing import Any

Body = dict[str, Any]


def after_step(config: Body, current: int, excess: float) -> int | None:
    """The capacity after the step for a metric that is `excess` above the alarm's threshold; None when no step fits."""
    for step in config.get("StepAdjustments", []):
        lower = step.get("MetricIntervalLowerBound", -math.inf)
        upper = step.get("MetricIntervalUpperBound", math.inf)
        # Bounds above the threshold include the lower one, those below it the upper one.
        fits = lower <= excess < upper if upper > 0 else lower < excess <= upper
        if fits:
            return _adjusted(config, current, step["ScalingAdjustment"])
    return None


def _adjusted(config: Body, current: int, adjustment: int) -> int:
    match config.get("AdjustmentType", "ChangeInCapacity"):
        case "ExactCapacity":
            return adjustment
        case "PercentChangeInCapacity":
            change = current * adjustment / 100
            if 0 < abs(change) < 1:
                change = math.copysign(1, change)  # a fraction of a task is one
            whole = int(change)
            least = config.get("MinAdjustmentMagnitude", 0)
            if whole and abs(whole) < least:
                whole = int(math.copysign(least, whole))
            return max(0, current + whole)
        case _:
            return max(0, current + adjustment)
