"""The strategy CANARY: a small part of the traffic first, and the rest when that has baked.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/canary-deployment.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.ecs.deployments.step import Step

DEFAULTS = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}


def steps(configuration: dict[str, Any]) -> list[Step]:
    """Two steps; one, when the canary is 100 percent."""
    canary = configuration["canaryConfiguration"]
    if canary["canaryPercent"] >= 100:
        return [Step(100.0)]
    return [Step(canary["canaryPercent"], canary["canaryBakeTimeInMinutes"] * 60.0), Step(100.0)]
