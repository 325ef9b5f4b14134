"""Step scaling's arithmetic.

AWS: https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from homeport.engine.wire.errors import AwsError

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


def check_steps(config: Body) -> None:
    """Raise ValidationException for steps that leave gaps, overlap, or end where the metric may go on.
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html"""
    steps = config.get("StepAdjustments") or []
    if not steps or "AdjustmentType" not in config:
        raise AwsError(
            "ValidationException", "AdjustmentType and at least one step adjustment must be specified"
        )
    bounds = sorted(
        (step.get("MetricIntervalLowerBound", -math.inf), step.get("MetricIntervalUpperBound", math.inf))
        for step in steps
    )
    if any(lower >= upper or (lower, upper) == (-math.inf, math.inf) for lower, upper in bounds):
        raise AwsError(
            "ValidationException",
            "A step adjustment must have a lower or an upper bound, and its upper bound must be above the lower one",
        )
    if any(before[1] != after[0] for before, after in pairwise(bounds)):
        raise AwsError("ValidationException", "The ranges of step adjustments must not overlap or have a gap")
    if -math.inf < bounds[0][0] < 0:
        raise AwsError(
            "ValidationException",
            "With a negative lower bound there must be a step adjustment without lower bound",
        )
    if 0 < bounds[-1][1] < math.inf:
        raise AwsError(
            "ValidationException",
            "With a positive upper bound there must be a step adjustment without upper bound",
        )
    if config["AdjustmentType"] == "ExactCapacity" and any(step["ScalingAdjustment"] < 0 for step in steps):
        raise AwsError("ValidationException", "An exact capacity must not be negative")


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
