"""The strategy BLUE_GREEN: all traffic goes to the new revision at once.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.ecs.deployments.step import Step


def steps(configuration: dict[str, Any]) -> list[Step]:
    """One step."""
    return [Step(100.0)]
