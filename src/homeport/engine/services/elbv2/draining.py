"""The end of a deregistration: when the target's last request is done, at the latest after the delay.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
"""

from __future__ import annotations

from collections.abc import Iterable

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.context import Context
from homeport.engine.services.elbv2.balancing import health_topic, settle
from homeport.engine.services.elbv2.naming import group_id
from homeport.engine.services.elbv2.tables import TARGETS
from homeport.engine.services.elbv2.targets import DRAINING
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

# Requests that were given to the target just before it began to drain are counted by then.
_SETTLED = 0.3
_LOOK = 0.2


async def _drain(ctx: Context, target_group: str) -> float | None:
    waiting = [body for body in TARGETS.list(ctx, target_group) if body["state"] == "draining"]
    if not waiting:
        return None
    active = (
        await ctx.engine.proxy.active_requests(group_id(target_group)) if ctx.engine.proxy.started else {}
    )
    now = ctx.now()
    done = [
        body
        for body in waiting
        if now >= body["until"]
        or (now >= body["since"] + _SETTLED and not active.get((body["address"], body["Port"]), 0))
    ]
    if done:
        with ctx.store.transaction():
            for body in done:
                # the address may have been registered anew while Envoy was asked
                if TARGETS.get(ctx, target_group, body["Id"], body["Port"]) == body:
                    TARGETS.delete(ctx, target_group, body["Id"], body["Port"])
            ctx.notify(health_topic(target_group))
        await settle(ctx.engine)
    return _LOOK if len(done) < len(waiting) else None


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    rows = TARGETS.everywhere(engine.store, state="draining")
    return {(scope, body["TargetGroupArn"]) for scope, body in rows}


RECONCILER = Reconciler(DRAINING, _keys, _drain)
