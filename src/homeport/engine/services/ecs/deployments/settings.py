"""A service's deployment configuration with AWS's defaults.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.ecs.deployments import canary, lifecycle_hooks, linear
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_MOST_MINUTES = 1440
_OWN = {
    "CANARY": ("canaryConfiguration", canary.DEFAULTS, "canaryPercent", 0.1),
    "LINEAR": ("linearConfiguration", linear.DEFAULTS, "stepPercent", 3.0),
}
"""The strategies with settings of their own: the member, its defaults, its percentage and that one's least value."""


def deployment_configuration(request: Body, before: Body | None) -> Body:
    """What the request changes of `before`, or of the defaults for a new service. Raises
    InvalidParameterException, UnsupportedFeatureException."""
    daemon = request.get("schedulingStrategy") == "DAEMON"
    defaults: Body = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 100 if daemon else 200,
        "minimumHealthyPercent": 0 if daemon else 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    given = request.get("deploymentConfiguration", {})
    configuration = {**(before or defaults), **given}
    if daemon and configuration["strategy"] != "ROLLING":
        raise AwsError(
            "InvalidParameterException",
            f"The deployment strategy {configuration['strategy']} does not go with the scheduling strategy DAEMON.",
        )
    _fill_in(configuration, given)
    _check_percentages(configuration)
    lifecycle_hooks.check(configuration)
    return configuration


def _fill_in(configuration: Body, given: Body) -> None:
    """Check the strategy's own settings and their defaults; those of another strategy go."""
    _check_minutes("bakeTimeInMinutes", configuration.get("bakeTimeInMinutes") or 0)
    for strategy, (member, defaults, percentage, least) in _OWN.items():
        if configuration["strategy"] != strategy:
            if member in given:
                raise AwsError(
                    "InvalidParameterException",
                    f"{member} can only be specified when the deployment strategy is {strategy}.",
                )
            configuration.pop(member, None)
            continue
        settings = configuration[member] = {**defaults, **(configuration.get(member) or {})}
        percent = settings[percentage]
        if not least <= percent <= 100 or round(percent, 1) != percent:
            raise AwsError(
                "InvalidParameterException",
                f"{percentage} must be a multiple of 0.1 between {least} and 100.0. Got: {percent}",
            )
        minutes = next(name for name in defaults if name.endswith("InMinutes"))
        _check_minutes(minutes, settings[minutes])


def _check_minutes(name: str, minutes: int) -> None:
    if not 0 <= minutes <= _MOST_MINUTES:
        raise AwsError(
            "InvalidParameterException", f"{name} must be between 0 and {_MOST_MINUTES}. Got: {minutes}"
        )


def _check_percentages(configuration: Body) -> None:
    if configuration["maximumPercent"] < configuration["minimumHealthyPercent"]:
        raise AwsError(
            "InvalidParameterException",
            "The maximumPercent must not be smaller than the minimumHealthyPercent.",
        )
    if configuration["maximumPercent"] == 100 and configuration["minimumHealthyPercent"] == 100:
        raise AwsError(
            "InvalidParameterException",
            "Specify a minimumHealthyPercent below 100 or a maximumPercent above 100: with both at 100 no task could "
            "ever be replaced.",
        )
