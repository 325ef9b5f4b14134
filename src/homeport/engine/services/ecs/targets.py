"""Tasks as targets of load balancers: registering, draining, what the health checks say.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from homeport.engine.services.context import Client, Context
from homeport.engine.services.ecs.task_rows import Body, task_key
from homeport.engine.wire.errors import AwsError


class Health(NamedTuple):
    """The worst health among the target groups of a task: `healthy`, `initial`, `unhealthy`, `draining`,
    `unused`, or `missing`; with the group and AWS's reason code and sentence."""

    state: str
    group: str = ""
    reason: str = ""
    description: str = ""


_WORST = (
    "healthy",
    "unused",
    "initial",
    "missing",
    "draining",
    "unhealthy.draining",
    "unavailable",
    "unhealthy",
)


async def register(ctx: Context, row: Body) -> None:
    """Make the task's address a target of each of its target groups."""
    for group, target, role in _targets(row):
        await _elbv2(ctx, role).register_targets(TargetGroupArn=group, Targets=[target])


async def deregister(ctx: Context, row: Body) -> None:
    """Let no new request reach the task; those in flight go on until they end or the delay has passed."""
    for group, target, role in _targets(row):
        try:
            await _elbv2(ctx, role).deregister_targets(TargetGroupArn=group, Targets=[target])
        except AwsError as error:
            if error.code not in ("TargetGroupNotFound", "InvalidTarget", "ValidationError"):
                raise


async def drained(ctx: Context, rows: Iterable[Body]) -> bool:
    """Whether no target group drains one of the tasks any more; one question for each target group."""
    asked: dict[tuple[str, str | None], list[Body]] = defaultdict(list)
    for row in rows:
        for group, target, role in _targets(row):
            asked[group, role].append(target)
    for (group, role), targets in asked.items():
        for description in await _descriptions(ctx, group, role, targets):
            if "draining" in description["TargetHealth"]["State"]:
                return False
    return True


async def healths(ctx: Context, rows: Iterable[Body]) -> dict[str, Health]:
    """The health of running tasks as targets, by task key; one question for each target group."""
    wanted: dict[tuple[str, str | None], dict[tuple[str, int], str]] = defaultdict(dict)
    found: dict[str, list[Health]] = {}
    for row in rows:
        for group, target, role in _targets(row):
            wanted[group, role][target["Id"], target["Port"]] = task_key(row)
            found.setdefault(task_key(row), [])
    for (group, role), keys in wanted.items():
        seen = set()
        for description in await _descriptions(ctx, group, role):
            target, health = description["Target"], description["TargetHealth"]
            if key := keys.get((target["Id"], target["Port"])):
                seen.add(key)
                found[key].append(
                    Health(health["State"], group, health.get("Reason", ""), health.get("Description", ""))
                )
        for key in set(keys.values()) - seen:
            found[key].append(Health("missing", group))
    return {key: max(states, key=lambda each: _WORST.index(each.state)) for key, states in found.items()}


async def _descriptions(
    ctx: Context, group: str, role: str | None, targets: list[Body] | None = None
) -> list[Body]:
    try:
        answer = await _elbv2(ctx, role).describe_target_health(TargetGroupArn=group, Targets=targets)
    except AwsError as error:
        if error.code in ("TargetGroupNotFound", "InvalidTarget", "ValidationError"):
            return []
        raise
    return answer.get("TargetHealthDescriptions", [])


def _elbv2(ctx: Context, role: str | None) -> Client:
    """Elastic Load Balancing as the service's infrastructure role; as ECS's own one when it names none."""
    return ctx.client("elbv2", role=role, as_service=role is None)


def _targets(row: Body) -> list[tuple[str, Any, str | None]]:
    address = row.get("address")
    return [
        (each["targetGroupArn"], {"Id": address, "Port": each["containerPort"]}, each.get("roleArn"))
        for each in row["targets"]
        if address and each.get("targetGroupArn")
    ]
