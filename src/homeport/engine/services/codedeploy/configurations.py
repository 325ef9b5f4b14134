"""Deployment configurations: how production traffic goes over to the new tasks.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""

from __future__ import annotations

from typing import Any, NamedTuple

from homeport.engine.services.codedeploy.tables import CONFIGS
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

DEFAULT = "CodeDeployDefault.ECSAllAtOnce"


def _canary(minutes: int) -> Body:
    canary = {"canaryPercentage": 10, "canaryInterval": minutes}
    return {"type": "TimeBasedCanary", "timeBasedCanary": canary}


def _linear(minutes: int) -> Body:
    linear = {"linearPercentage": 10, "linearInterval": minutes}
    return {"type": "TimeBasedLinear", "timeBasedLinear": linear}


PREDEFINED: dict[str, Body] = {
    DEFAULT: {"type": "AllAtOnce"},
    "CodeDeployDefault.ECSCanary10Percent5Minutes": _canary(5),
    "CodeDeployDefault.ECSCanary10Percent15Minutes": _canary(15),
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": _linear(1),
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": _linear(3),
}
"""AWS's own configurations for ECS, by name: their traffic routing."""


class Shift(NamedTuple):
    """So much of the production traffic goes to the new tasks, for so many minutes."""

    percent: int
    minutes: int


def shifts(routing: Body) -> list[Shift]:
    """The steps in which traffic goes over; the last one is all of it."""
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [Shift(canary["canaryPercentage"], canary["canaryInterval"]), Shift(100, 0)]
    if routing["type"] == "TimeBasedLinear":
        share, minutes = (routing["timeBasedLinear"][key] for key in ("linearPercentage", "linearInterval"))
        return [*(Shift(percent, minutes) for percent in range(share, 100, share)), Shift(100, 0)]
    return [Shift(100, 0)]


def configuration(ctx: Context, name: str) -> Body:
    """The configuration as AWS shows it. Raises DeploymentConfigDoesNotExistException."""
    if name in PREDEFINED:
        return {
            "deploymentConfigId": f"00000000-0000-0000-0000-{list(PREDEFINED).index(name) + 1:012}",
            "deploymentConfigName": name,
            "computePlatform": "ECS",
            "trafficRoutingConfig": PREDEFINED[name],
        }
    found = CONFIGS.get(ctx, name)
    if found is None:
        raise AwsError(
            "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
        )
    return found


def checked_routing(routing: Body) -> Body:
    """A traffic routing with its defaults. Raises InvalidTrafficRoutingConfigurationException."""
    type = routing.get("type", "AllAtOnce")
    member, share, interval = {
        "TimeBasedCanary": ("timeBasedCanary", "canaryPercentage", "canaryInterval"),
        "TimeBasedLinear": ("timeBasedLinear", "linearPercentage", "linearInterval"),
    }.get(type, ("", "", ""))
    if not member:
        return {"type": "AllAtOnce"}
    given = routing.get(member)
    if given is None or not 1 <= given.get(share, 0) <= 99 or not 1 <= given.get(interval, 0) <= 2880:
        raise AwsError(
            "InvalidTrafficRoutingConfigurationException",
            f"A traffic routing of type {type} needs {member} with {share} between 1 and 99 (percent) and {interval} "
            "between 1 and 2880 (minutes).",
        )
    return {"type": type, member: given}
