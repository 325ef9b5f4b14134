"""The strategy LINEAR: equal parts of the traffic, with a bake time between them.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html"""

from __future__ import annotations

import math
from typing import Any

from homeport.engine.services.ecs.deployments.step import Step

DEFAULTS = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}


def steps(configuration: dict[str, Any]) -> list[Step]:
    """As many steps as it takes to 100 percent; the last is what is left, and does not bake."""
    linear = configuration["linearConfiguration"]
    percent, bake = linear["stepPercent"], linear["stepBakeTimeInMinutes"] * 60.0
    count = math.ceil(round(100 / percent, 6))
    return [*(Step(round(percent * at, 1), bake) for at in range(1, count)), Step(100.0)]
