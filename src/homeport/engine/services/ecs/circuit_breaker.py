"""The deployment circuit breaker.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html"""

from __future__ import annotations

import math
from typing import Any

Body = dict[str, Any]


def threshold(breaker: Body, desired: int) -> int:
    """After how many failed tasks in a row a deployment fails: half of the desired count, but 3 to 200, unless
    `thresholdConfiguration` says otherwise."""
    configuration = breaker.get("thresholdConfiguration") or {"type": "BOUNDED_PERCENT", "value": 50}
    value = configuration["value"]
    if configuration["type"] == "COUNT":
        return max(1, value)
    share = math.ceil(desired * value / 100)
    return max(1, share) if configuration["type"] == "UNBOUNDED_PERCENT" else min(200, max(3, share))


def tripped(breaker: Body | None, failures: int, desired: int) -> bool:
    """Whether the deployment has failed."""
    return bool(breaker and breaker.get("enable")) and failures >= threshold(breaker or {}, desired)


def backoff(failures: int) -> float:
    """Seconds until the next start after so many failed tasks in a row, when no breaker ends the deployment.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html"""
    return 0.0 if failures < 3 else min(float(2 ** (failures - 3)), 900.0)
