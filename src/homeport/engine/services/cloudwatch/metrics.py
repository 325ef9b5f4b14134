"""Metrics: put, list, read.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from homeport.engine.services.cloudwatch import points
from homeport.engine.services.cloudwatch.alarms import wake_alarms
from homeport.engine.services.cloudwatch.math import InvalidExpression, evaluate_expression
from homeport.engine.services.cloudwatch.statistics import StatisticSet, is_statistic
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_LIMIT = 2.0**360
_OLDEST, _NEWEST = 14 * 86_400.0, 7200.0
_MAX_POINTS = 100_800


@operation
async def put_metric_data(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""
    namespace, now = request["Namespace"], ctx.now()
    data = list(request.get("MetricData") or ())
    for group in request.get("EntityMetricData") or ():
        data += group.get("MetricData") or ()
    if namespace.startswith("AWS/") and ctx.principal.type != "Service":
        raise AwsError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    counted = [
        (datum, _values(number, datum), datum.get("Timestamp") or now) for number, datum in enumerate(data, 1)
    ]
    for number, (_, _, time) in enumerate(counted, 1):
        if not now - _OLDEST <= time <= now + _NEWEST:
            raise AwsError(
                "InvalidParameterValue",
                f"The value {time} for parameter MetricData.member.{number}.Timestamp is invalid: it is more than two "
                "weeks in the past or two hours in the future.",
            )
    with ctx.store.transaction():
        for datum, values, time in counted:
            points.add(ctx, namespace, datum, values, time)
        wake_alarms(ctx, {(namespace, datum["MetricName"]) for datum, _, _ in counted})
    return {}


def _values(number: int, datum: dict[str, Any]) -> StatisticSet:
    at = f"MetricData.member.{number}"
    kinds = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if len(kinds) != 1:
        raise AwsError(
            "InvalidParameterCombination" if kinds else "MissingRequiredParameter",
            f"At least one and only one of the parameters {at}.Value, {at}.Values and {at}.StatisticValues must be "
            "specified.",
        )
    values = StatisticSet()
    if kinds == ["StatisticValues"]:
        given = datum["StatisticValues"]
        count, total, low, high = (given[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        # Its values are known one by one only when they are all alike.
        values = StatisticSet(count, total, low, high, {low: count} if low == high else {})
    elif kinds == ["Values"]:
        counts = datum.get("Counts") or [1.0] * len(datum["Values"])
        if len(counts) != len(datum["Values"]):
            raise AwsError("InvalidParameterValue", f"{at}.Values and {at}.Counts must have the same length.")
        for value, times in zip(datum["Values"], counts, strict=True):
            values.add(value, times)
    else:
        values.add(datum["Value"])
    if not all(math.isfinite(each) and abs(each) <= _LIMIT for each in (values.sum, values.count)):
        raise AwsError("InvalidParameterValue", f"The value for parameter {at}.Value is invalid.")
    return values


@operation
async def list_metrics(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html"""
    since = ctx.now() - 3 * 3600 if request.get("RecentlyActive") else -math.inf
    rows = [
        row
        for row in points.list_series(ctx, request.get("Namespace"), request.get("MetricName"))
        if row["last"] >= since and _has(row["dimensions"], request.get("Dimensions") or [])
    ]
    found, token = page(
        rows, 500, request.get("NextToken"), lambda row: (row["namespace"], row["name"], row["id"])
    )
    return {
        "Metrics": [
            {
                "Namespace": row["namespace"],
                "MetricName": row["name"],
                "Dimensions": [
                    {"Name": name, "Value": value} for name, value in json.loads(row["dimensions"])
                ],
            }
            for row in found
        ],
        "NextToken": token,
    }


def _has(dimensions: str, wanted: list[dict[str, str]]) -> bool:
    present = dict(json.loads(dimensions))
    return all(
        each["Name"] in present and each.get("Value") in (None, present[each["Name"]]) for each in wanted
    )


@operation
async def get_metric_statistics(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html"""
    period, start, end = request["Period"], request["StartTime"], request["EndTime"]
    _check_span(start, end, period)
    plain, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not plain and not extended:
        raise AwsError("MissingParameter", "Must specify either Statistics or ExtendedStatistics")
    _check_statistics([*plain, *extended])
    sets = points.read(ctx, request, start // period * period, end, period, request.get("Unit"))
    return {
        "Label": request["MetricName"],
        "Datapoints": [
            {
                "Timestamp": time,
                "Unit": request.get("Unit") or "None",
                **{name: each.statistic(name) for name in plain},
                "ExtendedStatistics": {name: each.statistic(name) for name in extended} or None,
            }
            for time, each in sets.items()
        ],
    }


def _check_span(start: float, end: float, period: int) -> None:
    if start >= end:
        raise AwsError(
            "InvalidParameterCombination",
            "The parameter StartTime must be less than the parameter EndTime.",
        )
    if period not in (1, 5, 10, 20, 30) and (period < 60 or period % 60):
        raise AwsError(
            "InvalidParameterValue",
            f"The value {period} for parameter Period is invalid: it must be 1, 5, 10, 20, 30 or a multiple of 60.",
        )
    if (end - start) / period > _MAX_POINTS:
        raise AwsError("InvalidParameterCombination", "The request asks for too many data points.")


def _check_statistics(names: list[str]) -> None:
    for name in names:
        if not is_statistic(name):
            raise AwsError(
                "InvalidParameterValue", f"The value {name} for parameter Statistic is not supported."
            )


@operation
async def get_metric_data(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""
    start, end = request["StartTime"], request["EndTime"]
    queries = request["MetricDataQueries"]
    series = query(ctx, queries, start, end)
    newest_first = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = []
    for each in queries:
        if each.get("ReturnData") is False:
            continue
        times = sorted(series[each["Id"]], reverse=newest_first)
        label = (
            each.get("Label")
            or (each.get("MetricStat") or {}).get("Metric", {}).get("MetricName")
            or each["Id"]
        )
        results.append(
            {
                "Id": each["Id"],
                "Label": label,
                "Timestamps": times,
                "Values": [series[each["Id"]][time] for time in times],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def query(
    ctx: Context, queries: list[dict[str, Any]], start: float, end: float
) -> dict[str, dict[float, float]]:
    """The values of metric data queries by id and time. Raises ValidationError."""
    found: dict[str, dict[float, float]] = {}
    expressions = {}
    for each in queries:
        if each["Id"] in found or each["Id"] in expressions:
            raise AwsError(
                "ValidationError",
                f"The values for parameter id in MetricDataQueries are not unique: {each['Id']}",
            )
        if statistic := each.get("MetricStat"):
            period, name = statistic["Period"], statistic["Stat"]
            _check_span(start, end, period)
            _check_statistics([name])
            sets = points.read(
                ctx, statistic["Metric"], start // period * period, end, period, statistic.get("Unit")
            )
            values = {time: value for time, one in sets.items() if (value := one.statistic(name)) is not None}
            found[each["Id"]] = values
        elif each.get("Expression"):
            expressions[each["Id"]] = each["Expression"]
        else:
            raise AwsError(
                "ValidationError", f"The query {each['Id']} has neither a MetricStat nor an Expression."
            )
    for id, expression in _in_order(expressions, found):
        try:
            found[id] = evaluate_expression(expression, found, _period(queries), start, end)
        except InvalidExpression as error:
            raise AwsError("ValidationError", f"Error in expression '{id}': {error}") from None
    return found


def _in_order(expressions: dict[str, str], known: dict[str, Any]) -> list[tuple[str, str]]:
    """Expressions after those that they name."""
    left, ordered = dict(expressions), []
    while left:
        ready = [
            id for id, text in left.items() if not set(re.findall(r"\b[a-z]\w*\b", text)) & (set(left) - {id})
        ]
        if not ready:
            raise AwsError("ValidationError", "The expressions refer to each other in a circle.")
        for id in ready:
            ordered.append((id, left.pop(id)))
    return ordered


def _period(queries: list[dict[str, Any]]) -> int:
    periods = [each["MetricStat"]["Period"] for each in queries if each.get("MetricStat")]
    return max(periods, default=60)
