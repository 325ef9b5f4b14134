"""The steps by which production traffic goes to the new service revision: one strategy a file, and this to find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeport.engine.services.ecs.deployments import blue_green, canary, linear
from homeport.engine.services.ecs.deployments.step import Step

Body = dict[str, Any]

_STRATEGIES: dict[str, Callable[[Body], list[Step]]] = {
    "BLUE_GREEN": blue_green.steps,
    "LINEAR": linear.steps,
    "CANARY": canary.steps,
}
SHIFTING = tuple(_STRATEGIES)
"""The strategies that run the new revision beside the old one, and shift traffic between them."""


def steps(configuration: Body) -> list[Step]:
    """The steps of a service's deployment configuration, whose strategy is one of SHIFTING."""
    return _STRATEGIES[configuration["strategy"]](configuration)
