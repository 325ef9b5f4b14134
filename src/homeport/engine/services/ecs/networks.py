"""The network configuration of tasks and services.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html"""

from __future__ import annotations

from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError

_MOST_SUBNETS = 16
_MOST_GROUPS = 5


def check_network(settings: Body, definition: Body) -> None:
    """Raise InvalidParameterException when tasks of this definition need a network that is not given, or are given
    one that they do not take."""
    given = (settings.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition["networkMode"] == "awsvpc" and not given:
        raise AwsError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    if definition["networkMode"] != "awsvpc" and given:
        raise AwsError(
            "InvalidParameterException",
            "Network Configuration is not valid for the given networkMode of this task definition.",
        )
    if given and not 1 <= len(given["subnets"]) <= _MOST_SUBNETS:
        raise AwsError("InvalidParameterException", f"subnets must have between 1 and {_MOST_SUBNETS} items.")
    if given and len(given.get("securityGroups", [])) > _MOST_GROUPS:
        raise AwsError("InvalidParameterException", f"securityGroups can have at most {_MOST_GROUPS} items.")
