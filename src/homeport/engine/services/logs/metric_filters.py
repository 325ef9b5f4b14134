"""Metric filters: numbers found in log events become CloudWatch metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs.filter_patterns import compile_filter, compiled
from homeport.engine.services.logs.groups import METRIC_FILTERS, find_group, millis
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError


@operation
async def put_metric_filter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"""
    compiled(request["filterPattern"])
    with ctx.store.transaction():
        group = find_group(ctx, request["logGroupName"])
        METRIC_FILTERS.put(
            ctx,
            {
                "logGroupName": group["logGroupName"],
                "filterName": request["filterName"],
                "filterPattern": request["filterPattern"],
                "metricTransformations": request["metricTransformations"],
                "creationTime": millis(ctx),
            },
        )
    return {}


@operation
async def delete_metric_filter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteMetricFilter.html"""
    find_group(ctx, request["logGroupName"])
    if not METRIC_FILTERS.delete(ctx, request["logGroupName"], request["filterName"]):
        raise AwsError("ResourceNotFoundException", "The specified metric filter does not exist.")
    return {}


@operation
async def describe_metric_filters(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html"""
    group = request.get("logGroupName")
    if group:
        find_group(ctx, group)
    prefix, metric = request.get("filterNamePrefix") or "", request.get("metricName")
    filters = [
        each
        for each in (METRIC_FILTERS.list(ctx, group) if group else METRIC_FILTERS.list(ctx))
        if each["filterName"].startswith(prefix)
        and (
            not metric
            or any(
                (one["metricName"], one["metricNamespace"]) == (metric, request.get("metricNamespace"))
                for one in each["metricTransformations"]
            )
        )
    ]
    found, token = page(
        filters,
        request.get("limit", 50),
        request.get("nextToken"),
        lambda each: (each["logGroupName"], each["filterName"]),
        "InvalidParameterException",
    )
    return {"metricFilters": found, "nextToken": token}


@operation
async def test_metric_filter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html"""
    matches = compiled(request["filterPattern"])
    found = [
        {"eventNumber": number, "eventMessage": message, "extractedValues": values}
        for number, message in enumerate(request["logEventMessages"], 1)
        if (values := matches(message)) is not None
    ]
    return {"matches": found}


async def measure(ctx: Context, group: str, events: Sequence[tuple[int, str]]) -> None:
    """Publish what the group's metric filters find in new events."""
    metrics: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in METRIC_FILTERS.list(ctx, group):
        matches = compile_filter(each["filterPattern"])
        for timestamp, message in events:
            values = matches(message)
            for transformation in each["metricTransformations"]:
                datum = _datum(transformation, values, timestamp)
                if datum:
                    metrics[transformation["metricNamespace"]].append(datum)
    client = ctx.client("cloudwatch", as_service=True)
    for namespace, data in metrics.items():
        for first in range(0, len(data), 1000):
            await client.put_metric_data(Namespace=namespace, MetricData=data[first : first + 1000])


def _datum(
    transformation: dict[str, Any], values: dict[str, str] | None, timestamp: int
) -> dict[str, Any] | None:
    """One data point: what the message says, or the default value for a message that does not match."""
    datum: dict[str, Any] = {
        "MetricName": transformation["metricName"],
        "Timestamp": timestamp / 1000,
        "Unit": transformation.get("unit", "None"),
    }
    if values is None:
        default = transformation.get("defaultValue")
        return {**datum, "Value": default} if default is not None else None
    dimensions = transformation.get("dimensions") or {}
    if any(source not in values for source in dimensions.values()):
        return None
    datum["Dimensions"] = [{"Name": name, "Value": values[source]} for name, source in dimensions.items()]
    wanted = transformation["metricValue"]
    try:
        return {**datum, "Value": float(values.get(wanted, wanted) if wanted.startswith("$") else wanted)}
    except ValueError:
        return None
