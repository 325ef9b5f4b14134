"""Hearing from the load balancer: wakes a service, and its draining tasks, when the health of its targets changes."""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.service_rows import alive
from homeport.engine.services.ecs.tables import SERVICES
from homeport.engine.services.ecs.task_rows import SERVICE, TASK, Body, task_key
from homeport.engine.services.ecs.task_sets import settings_of, task_sets

WATCH = "ecs.watch"
_LONG = 3600.0


def changed_topic(key: str) -> str:
    """The topic that is notified when a service's target groups change, or the service goes."""
    return f"ecs.changed:{key}"


async def watch(ctx: Context, key: str) -> float | None:
    """Listen as long as the service has its present target groups."""
    service = SERVICES.get(ctx, *key.split("/"))
    if service is None or service["status"] == "INACTIVE":
        return None
    groups = {group for each in service["shown"]["loadBalancers"] for group in _groups(each)}
    for task_set in task_sets(ctx, service):
        groups |= {each["targetGroupArn"] for each in settings_of(ctx, task_set)["loadBalancers"]}
    groups |= {target["targetGroupArn"] for row in alive(ctx, service) for target in row["targets"]}
    if not groups:
        return None
    changed = changed_topic(key)
    with (
        ctx.engine.signals.listen([changed]) as stale,
        ctx.engine.signals.listen([changed, *(f"elbv2.health:{group}" for group in groups)]) as heard,
    ):
        while True:
            await heard.wait(_LONG)
            if await stale.wait(0):
                return 0.0
            ctx.wake(SERVICE, key)
            for row in alive(ctx, service):
                if row["lastStatus"] == "DEACTIVATING":
                    ctx.wake(TASK, task_key(row))


def _groups(balancer: Body) -> list[str]:
    advanced = balancer.get("advancedConfiguration") or {}
    found = (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn"))
    return [group for group in found if group]
