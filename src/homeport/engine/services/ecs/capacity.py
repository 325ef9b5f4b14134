"""Capacity providers: which one a task gets by a strategy, and the interruption of a Spot task.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.task_rows import Body, request_stop
from homeport.engine.wire.errors import AwsError

PROVIDERS = ("FARGATE", "FARGATE_SPOT")
INTERRUPT_TAG = "homeport:spot-interruption"
"""AWS interrupts Spot tasks when it needs their capacity, and has no call for it. Here, a task of FARGATE_SPOT that
is given this tag is interrupted."""
WARNING_SECONDS = 120.0
"""From the warning to the end of the task, at most."""


def choose(strategy: list[Body], counts: Mapping[str, int]) -> str:
    """The provider of the next task, when so many tasks run on each: bases are filled first, then weights share.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html"""
    for item in strategy:
        if counts.get(item["capacityProvider"], 0) < item.get("base", 0):
            return item["capacityProvider"]
    weighted = [item for item in strategy if item.get("weight", 0) > 0] or strategy

    def load(item: Body) -> Any:
        above = counts.get(item["capacityProvider"], 0) - item.get("base", 0)
        return (above + 1) / (item.get("weight") or 1)

    return min(weighted, key=load)["capacityProvider"]


def check(strategy: list[Body], cluster: Body) -> None:
    """Raise InvalidParameterException for a strategy that AWS does not take in this cluster."""
    check_providers([item["capacityProvider"] for item in strategy])
    for item in strategy:
        if item["capacityProvider"] not in cluster["capacityProviders"]:
            raise AwsError(
                "InvalidParameterException",
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated "
                "with the cluster. Associate the capacity provider with the cluster and try again.",
            )
    if sum(1 for item in strategy if item.get("base", 0) > 0) > 1:
        raise AwsError(
            "InvalidParameterException", "Only one capacity provider in a strategy can have a base defined."
        )
    if strategy and len(strategy) > 1 and not any(item.get("weight", 0) for item in strategy):
        raise AwsError(
            "InvalidParameterException", "At least one capacity provider must have a weight above 0."
        )


def check_providers(names: list[str]) -> None:
    """Raise InvalidParameterException for a capacity provider that is not there."""
    for name in names:
        if name not in PROVIDERS:
            raise AwsError(
                "InvalidParameterException",
                f"The specified capacity provider '{name}' was not found. Specify a valid name and try again: homeport "
                f"has {' and '.join(PROVIDERS)}.",
            )


def interrupt(ctx: Context, row: Body) -> None:
    """Give a Spot task its warning: the event that tells of it, and then SIGTERM. Raises
    InvalidParameterException for another task."""
    if row["task"].get("capacityProviderName") != "FARGATE_SPOT":
        raise AwsError(
            "InvalidParameterException",
            "Only a task of the capacity provider FARGATE_SPOT can be interrupted.",
        )
    request_stop(ctx, row, "SpotInterruption", "Your Spot Task was interrupted.")
