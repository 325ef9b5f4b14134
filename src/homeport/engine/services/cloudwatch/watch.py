"""The reconciler that evaluates alarms: when their metric gets data, and whenever a period has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.cloudwatch import points
from homeport.engine.services.cloudwatch.composite import parse_rule
from homeport.engine.services.cloudwatch.evaluation import COMPARISONS, Point, Rule, evaluate
from homeport.engine.services.cloudwatch.metrics import query
from homeport.engine.services.cloudwatch.states import ALARMS, EVALUATION, change_state
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope
from homeport.engine.store.table import Body
from homeport.engine.wire.codecs.values import iso8601
from homeport.engine.wire.errors import AwsError


def _alarms(engine: Engine) -> Iterator[tuple[Scope, str]]:
    for scope, alarm in ALARMS.everywhere(engine.store):
        yield scope, alarm["AlarmName"]


async def _look(ctx: Context, name: str) -> float | None:
    alarm = ALARMS.get(ctx, name)
    if alarm is None:
        return None
    if alarm["kind"] == "CompositeAlarm":
        _look_at_others(ctx, alarm)
        return None
    queries, result, period = _queries(alarm)
    _evaluate(ctx, alarm, queries, result, period)
    step = min(period, 60)
    return step - ctx.now() % step + 0.05


def _look_at_others(ctx: Context, alarm: Body) -> None:
    rule, _ = parse_rule(alarm["AlarmRule"])

    def state_of(name: str) -> str:
        other = ALARMS.get(ctx, name)
        return other["StateValue"] if other else "INSUFFICIENT_DATA"

    state = "ALARM" if rule(state_of) else "OK"
    if state != alarm["StateValue"]:
        reason = f"{alarm['AlarmArn']} transitioned to {state} because its rule {alarm['AlarmRule']} is " + (
            "met." if state == "ALARM" else "not met."
        )
        with ctx.store.transaction():
            change_state(ctx, alarm, state, reason[:1023], None)


def _queries(alarm: Body) -> tuple[list[dict[str, Any]], str, int]:
    """The metric data queries of an alarm, the id of the one that counts, and its period."""
    if alarm.get("Metrics"):
        result = next(each["Id"] for each in alarm["Metrics"] if each.get("ReturnData", True))
        periods = [
            each["MetricStat"]["Period"] if each.get("MetricStat") else each.get("Period", 0)
            for each in alarm["Metrics"]
        ]
        return alarm["Metrics"], result, max(periods) or 60
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm}
    stat = {
        "Metric": metric,
        "Period": alarm["Period"],
        "Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"],
    }
    if alarm.get("Unit"):
        stat["Unit"] = alarm["Unit"]
    return [{"Id": "m1", "MetricStat": stat}], "m1", alarm["Period"]


def _evaluate(ctx: Context, alarm: Body, queries: list[dict[str, Any]], result: str, period: int) -> None:
    rule = Rule(
        comparison=alarm["ComparisonOperator"],
        threshold=alarm["Threshold"],
        periods=alarm["EvaluationPeriods"],
        datapoints=alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
        treat_missing=alarm.get("TreatMissingData", "missing"),
    )
    end = ctx.now() // period * period
    start = end - rule.evaluation_range * period
    if _has_few_samples(ctx, alarm, end, period):
        return
    try:
        values = query(ctx, queries, start, end + period if _only_grows(alarm) else end)[result]
    except AwsError as error:
        with ctx.store.transaction():
            change_state(
                ctx, alarm, "INSUFFICIENT_DATA", f"The metrics could not be read: {error.message}", None
            )
        return
    times = [start + number * period for number in range(rule.evaluation_range + 1)]
    found = [Point(time, values[time]) if time in values else None for time in times]
    verdict = evaluate(rule, found[:-1], alarm["StateValue"])
    if found[-1]:
        # what breaches in the period that runs will breach when it has ended
        _, breaches = COMPARISONS[rule.comparison]
        early = evaluate(rule, found[1:], alarm["StateValue"])
        if breaches(found[-1].value, rule.threshold) and early.state == "ALARM":
            verdict = early
    if verdict.state == alarm["StateValue"]:
        return
    data = {
        "version": "1.0",
        "queryDate": iso8601(ctx.now()),
        "startDate": iso8601(start),
        "statistic": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        "period": period,
        "recentDatapoints": [point.value for point in verdict.points],
        "threshold": rule.threshold,
    }
    with ctx.store.transaction():
        change_state(ctx, alarm, verdict.state, verdict.reason, json.dumps(data))


def _only_grows(alarm: Body) -> bool:
    """Whether a breach cannot be undone by what the rest of its period brings: a maximum or a count of what AWS's own
    services count that is too great, a minimum that is too small."""
    statistic, greater = alarm.get("Statistic"), alarm["ComparisonOperator"].startswith("Greater")
    if statistic == "Sum":
        return greater and str(alarm.get("Namespace")).startswith("AWS/")
    return greater if statistic in ("Maximum", "SampleCount") else statistic == "Minimum" and not greater


def _has_few_samples(ctx: Context, alarm: Body, end: float, period: int) -> bool:
    """Whether a percentile stands for too few values, and the alarm is to ignore such.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html"""
    statistic = str(alarm.get("ExtendedStatistic", ""))
    if alarm.get("EvaluateLowSampleCountPercentile") != "ignore" or not statistic.startswith("p"):
        return False
    share = float(statistic[1:]) / 100
    needed = 10 / max(1e-9, min(share, 1 - share))
    found = points.read(ctx, alarm, end - period, end, period, alarm.get("Unit"))
    return 0 < sum(each.count for each in found.values()) < needed


WATCH = Reconciler(EVALUATION, _alarms, _look)
