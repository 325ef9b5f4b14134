"""What the load balancers measure, as CloudWatch's metrics of the namespace AWS/ApplicationELB.

Published every five seconds, so that alarms act before the next step of a deployment, also those with periods of ten
seconds; AWS publishes each minute.
TargetResponseTime keeps its distribution (values with counts), so that percentiles are exact to two digits.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.proxy.metrics import Collected, GroupMetrics, total
from homeport.engine.services.context import Context
from homeport.engine.services.elbv2.naming import dimension, group_id
from homeport.engine.services.elbv2.tables import LOAD_BALANCERS, TARGET_GROUPS
from homeport.engine.services.elbv2.usage import users
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Place, Scope

Body = dict[str, Any]

_EVERY = 5.0
_MOST_VALUES = 150  # of one datum, as CloudWatch has it
_MOST_DATA = 500
_NAMESPACE = "AWS/ApplicationELB"


async def _publish(ctx: Context, key: str) -> float | None:
    engine = ctx.engine
    if not engine.proxy.started:
        return None
    collected = await engine.proxy.metrics.collect()
    for scope in {scope for scope, _ in LOAD_BALANCERS.everywhere(engine.store)}:
        within = ctx.within(scope)
        data = list(_data(engine, scope, collected, ctx.now()))
        for start in range(0, len(data), _MOST_DATA):
            client = within.client("cloudwatch", as_service=True, region=scope.region)
            await client.put_metric_data(Namespace=_NAMESPACE, MetricData=data[start : start + _MOST_DATA])
    return _EVERY


def _data(engine: Engine, scope: Scope, collected: Collected, now: float) -> Iterator[Body]:
    """The metric data of one account and region."""
    place = Place(engine.store, scope)
    groups: dict[str, list[GroupMetrics]] = {}
    for body in TARGET_GROUPS.list(place):
        arn = body["TargetGroupArn"]
        numbers = collected.groups.get(group_id(arn), GroupMetrics())
        for balancer in users(place, arn):
            groups.setdefault(balancer, []).append(numbers)
            both = _dimensions(TargetGroup=dimension(arn), LoadBalancer=dimension(balancer))
            states = Counter(health.state for health in engine.proxy.health.of(group_id(arn)).values())
            yield from _requests(both, numbers, now)
            yield _datum("HealthyHostCount", both, states["healthy"], now)
            yield _datum("UnHealthyHostCount", both, states["unhealthy"], now)
            if numbers.requests and states["healthy"]:
                share = numbers.requests / states["healthy"]
                yield _datum("RequestCountPerTarget", both, share, now)
                yield _datum("RequestCountPerTarget", _dimensions(TargetGroup=dimension(arn)), share, now)
    for body in LOAD_BALANCERS.list(place):
        arn = body["LoadBalancerArn"]
        alone = _dimensions(LoadBalancer=dimension(arn))
        yield from _requests(alone, total(groups.get(arn, [])), now)
        yield from _errors(alone, collected.errors.get(arn, Counter()), now)


def _requests(dimensions: list[Body], numbers: GroupMetrics, now: float) -> Iterator[Body]:
    counts = {
        "RequestCount": numbers.requests,
        "HTTPCode_Target_2XX_Count": numbers.status_2xx,
        "HTTPCode_Target_3XX_Count": numbers.status_3xx,
        "HTTPCode_Target_4XX_Count": numbers.status_4xx,
        "HTTPCode_Target_5XX_Count": numbers.status_5xx,
        "TargetConnectionErrorCount": numbers.connection_errors,
    }
    for name, count in counts.items():
        if count > 0:  # AWS reports these only when they are not zero
            yield _datum(name, dimensions, count, now)
    latencies = sorted(numbers.latencies.items())
    for start in range(0, len(latencies), _MOST_VALUES):
        chunk = latencies[start : start + _MOST_VALUES]
        yield {
            "MetricName": "TargetResponseTime",
            "Dimensions": dimensions,
            "Timestamp": now,
            "Unit": "Seconds",
            "StorageResolution": 1,
            "Values": [milliseconds / 1000 for milliseconds, _ in chunk],
            "Counts": [float(count) for _, count in chunk],
        }


def _errors(dimensions: list[Body], statuses: Counter[int], now: float) -> Iterator[Body]:
    if statuses:
        yield _datum("HTTPCode_ELB_5XX_Count", dimensions, statuses.total(), now)
    for status in (500, 502, 503, 504):
        if statuses[status]:
            yield _datum(f"HTTPCode_ELB_{status}_Count", dimensions, statuses[status], now)


def _datum(name: str, dimensions: list[Body], value: float, now: float) -> Body:
    return {
        "MetricName": name,
        "Dimensions": dimensions,
        "Timestamp": now,
        "Unit": "Count",
        "StorageResolution": 1,
        "Value": float(value),
    }


def _dimensions(**names: str) -> list[Body]:
    return [{"Name": name, "Value": value} for name, value in names.items()]


def _keys(engine: Engine) -> Iterable[tuple[Scope, str]]:
    return [(Scope(engine.account, engine.region), "all")]


RECONCILER = Reconciler("elbv2.metrics", _keys, _publish)
