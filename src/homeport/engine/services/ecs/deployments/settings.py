"""A service's deployment configuration with AWS's defaults.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


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
    if configuration["strategy"] != "ROLLING":
        raise AwsError(
            "UnsupportedFeatureException",
            f"homeport does not have the deployment strategy {configuration['strategy']} yet: use ROLLING.",
        )
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
    return configuration
