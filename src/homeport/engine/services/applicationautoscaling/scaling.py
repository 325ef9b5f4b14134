"""The scaling itself: scheduled actions that are due, then what the policies' alarms say.

Target tracking: while the high alarm is in ALARM, capacity becomes the present one times metric over target, rounded
up; while the low alarms of all policies are, it shrinks in the same way. After a change the cooldown passes first.
Step scaling: an alarm in ALARM whose actions name the policy applies the step that its metric falls into.

AWS: https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.applicationautoscaling.activities import scale
from homeport.engine.services.applicationautoscaling.scheduled_actions import following
from homeport.engine.services.applicationautoscaling.steps import after_step
from homeport.engine.services.applicationautoscaling.tables import POLICIES, SCHEDULED_ACTIONS, TARGETS
from homeport.engine.services.applicationautoscaling.targets import SCALING, capacity
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_EVERY = 10.0
_COOLDOWN = 300.0
_RECENT = 180.0


class Wish(NamedTuple):
    """The capacity that a policy asks for, and why."""

    capacity: int
    cause: str
    cooldown: float


async def _reconcile(ctx: Context, resource: str) -> float | None:
    target = TARGETS.get(ctx, resource)
    if target is None:
        return None
    policies, actions = POLICIES.list(ctx, resource), SCHEDULED_ACTIONS.list(ctx, resource)
    if not policies and not actions:
        return None  # putting one wakes us
    try:
        current = await capacity(ctx, resource)
    except AwsError:
        return _EVERY  # the service is gone; it may come back
    current = await _run_schedule(ctx, target, current, actions)
    target = TARGETS.get(ctx, resource) or target
    if policies:
        await _follow_policies(ctx, target, current, policies)
    waiting = [
        action["next"] - ctx.now() for action in SCHEDULED_ACTIONS.list(ctx, resource) if action["next"]
    ]
    return max(0.0, min([_EVERY, *waiting])) if policies else max(0.0, min(waiting)) if waiting else None


async def _run_schedule(ctx: Context, target: Body, current: int, actions: list[Body]) -> int:
    """Carry out the scheduled actions that are due; the capacity afterwards."""
    for action in actions:
        if action["next"] is None or action["next"] > ctx.now():
            continue
        suspended = target["SuspendedState"]["ScheduledScalingSuspended"]
        with ctx.store.transaction():
            SCHEDULED_ACTIONS.put(ctx, {**action, "next": following(action, ctx.now())})
            if not suspended:
                target = target | action["ScalableTargetAction"]
                target["MaxCapacity"] = max(target["MaxCapacity"], target["MinCapacity"])
                TARGETS.put(ctx, target)
        if not suspended:
            wanted = _within(target, current)
            if wanted != current:
                await scale(
                    ctx,
                    target["ResourceId"],
                    wanted,
                    f"scheduled action name {action['ScheduledActionName']}",
                )
                current = wanted
    return current


async def _follow_policies(ctx: Context, target: Body, current: int, policies: list[Body]) -> None:
    bounded = _within(target, current)
    if bounded != current:
        lower = bounded < current
        cause = f"{'maximum' if lower else 'minimum'} capacity was set to {bounded}"
        await _change(ctx, target, bounded, cause, out=not lower)
        return
    wishes = [await _wish(ctx, policy, current) for policy in policies]
    state, now = target["SuspendedState"], ctx.now()
    out = max((wish for wish in wishes if wish and wish.capacity > current), default=None)
    if out:
        count = _within(target, out.capacity)
        if (
            count > current
            and not state["DynamicScalingOutSuspended"]
            and now >= target["scaledOut"] + out.cooldown
        ):
            await _change(ctx, target, count, out.cause, out=True)
        return
    lower_wishes = [wish for wish in wishes if wish and wish.capacity < current]
    if lower_wishes and len(lower_wishes) == len(wishes):  # all policies agree to scale in
        wish = max(lower_wishes)
        count = _within(target, wish.capacity)
        rested = now >= max(target["scaledIn"], target["scaledOut"]) + wish.cooldown
        if count < current and not state["DynamicScalingInSuspended"] and rested:
            await _change(ctx, target, count, wish.cause, out=False)


async def _change(ctx: Context, target: Body, count: int, cause: str, out: bool) -> None:
    TARGETS.put(ctx, target | {"scaledOut" if out else "scaledIn": ctx.now()})
    await scale(ctx, target["ResourceId"], count, cause)


async def _wish(ctx: Context, policy: Body, current: int) -> Wish | None:
    cloudwatch = ctx.client("cloudwatch", as_service=True)
    if policy["PolicyType"] == "StepScaling":
        answer = await cloudwatch.describe_alarms(ActionPrefix=policy["PolicyARN"], StateValue="ALARM")
        config = policy["StepScalingPolicyConfiguration"]
        for alarm in answer.get("MetricAlarms", []):
            value = await _value(ctx, alarm)
            count = None if value is None else after_step(config, current, value - alarm["Threshold"])
            if count is not None:
                return Wish(count, _cause(alarm, policy), config.get("Cooldown", _COOLDOWN))
        return None
    config = policy["TargetTrackingScalingPolicyConfiguration"]
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    answer = await cloudwatch.describe_alarms(AlarmNames=names)
    for alarm in answer.get("MetricAlarms", []):
        value = await _value(ctx, alarm)
        if alarm["StateValue"] != "ALARM" or value is None:
            continue
        count = math.ceil(max(current, 1) * value / config["TargetValue"])
        if "-AlarmHigh-" in alarm["AlarmName"] and count > current:
            return Wish(count, _cause(alarm, policy), config.get("ScaleOutCooldown", _COOLDOWN))
        if "-AlarmLow-" in alarm["AlarmName"] and count < current:
            return Wish(count, _cause(alarm, policy), config.get("ScaleInCooldown", _COOLDOWN))
    return None


async def _value(ctx: Context, alarm: Body) -> float | None:
    """The metric's newest data point; when it has none lately, the one that brought the alarm into its state."""
    queries = alarm.get("Metrics") or _query(alarm)
    if queries:
        end = ctx.now() // 60 * 60  # only whole minutes: a sum of half a one is too small
        answer = await ctx.client("cloudwatch", as_service=True).get_metric_data(
            MetricDataQueries=queries, StartTime=end - _RECENT, EndTime=end, ScanBy="TimestampDescending"
        )
        if values := answer["MetricDataResults"][0]["Values"]:
            return float(values[0])
    points = json.loads(alarm.get("StateReasonData") or "{}").get("recentDatapoints", [])
    real = [point for point in points if point is not None]
    return float(real[-1]) if real else None


def _query(alarm: Body) -> list[Body]:
    """The query of an alarm of a single metric; none where it follows a percentile."""
    if "Statistic" not in alarm:
        return []
    names = {"Namespace", "MetricName", "Dimensions"}
    metric = {name: alarm[name] for name in names & set(alarm)}
    stat = {"Metric": metric, "Period": 60, "Stat": alarm["Statistic"]}
    return [{"Id": "metric", "MetricStat": stat}]


def _cause(alarm: Body, policy: Body) -> str:
    return f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {policy['PolicyName']}"


def _within(target: Body, count: int) -> int:
    return int(min(max(count, target["MinCapacity"]), target["MaxCapacity"]))


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    return [(scope, body["ResourceId"]) for scope, body in TARGETS.everywhere(engine.store)]


RECONCILER = Reconciler(SCALING, _keys, _reconcile)
