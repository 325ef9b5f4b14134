"""Data points in the store: one statistic set a series, second or minute, and unit.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from sqlite3 import Row
from typing import Any

from homeport.engine.durable.reconciler import Reconciler
from homeport.engine.services.cloudwatch.statistics import StatisticSet, merged
from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Scope

_KEPT = 15 * 86_400.0
_KEPT_BY_SECOND = 3 * 3600.0
_EVERY = 1800.0
_AT_ONCE = 500

Dimensions = Sequence[dict[str, str]]


def add(ctx: Context, namespace: str, datum: dict[str, Any], values: StatisticSet, time: float) -> None:
    """Count values into the series and period that a datum belongs to; call it in a transaction."""
    series = _series(ctx, namespace, datum["MetricName"], datum.get("Dimensions") or (), time)
    resolution = 1 if datum.get("StorageResolution") == 1 else 60
    _merge(ctx, series, time // resolution * resolution, datum.get("Unit") or "None", values)


def _merge(ctx: Context, series: int, start: float, unit: str, values: StatisticSet) -> None:
    """Count values into a point of a series."""
    rows = ctx.store.execute(
        "SELECT * FROM cloudwatch_points WHERE series = ? AND time = ? AND unit = ?", series, start, unit
    )
    if rows:
        present = _set(rows[0])
        present.merge(values)
        values = present
    histogram = json.dumps(list(values.histogram.items()), separators=(",", ":"))
    ctx.store.execute(
        "INSERT OR REPLACE INTO cloudwatch_points VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        series,
        start,
        unit,
        values.count,
        values.sum,
        values.minimum,
        values.maximum,
        histogram,
    )


def _series(ctx: Context, namespace: str, name: str, dimensions: Dimensions, time: float) -> int:
    rows = ctx.store.execute(
        "INSERT INTO cloudwatch_series (account, region, namespace, name, dimensions, last) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, region, namespace, name, dimensions) "
        "DO UPDATE SET last = max(last, excluded.last) RETURNING id",
        *ctx.scope,
        namespace,
        name,
        canonical(dimensions),
        time,
    )
    return int(rows[0]["id"])


def canonical(dimensions: Dimensions) -> str:
    """Dimensions as the store tells series apart: sorted by name."""
    return json.dumps(sorted([each["Name"], each["Value"]] for each in dimensions), separators=(",", ":"))


def list_series(ctx: Context, namespace: str | None, name: str | None) -> list[Row]:
    """The series of the account and region, by namespace and name."""
    where, values = "", []
    for column, value in (("namespace", namespace), ("name", name)):
        if value is not None:
            where += f" AND {column} = ?"
            values.append(value)
    return ctx.store.execute(
        f"SELECT * FROM cloudwatch_series WHERE account = ? AND region = ?{where} ORDER BY namespace, name, id",
        *ctx.scope,
        *values,
    )


def read(
    ctx: Context,
    metric: dict[str, Any],
    start: float,
    end: float,
    period: int,
    unit: str | None = None,
) -> dict[float, StatisticSet]:
    """A metric's statistic sets by the starts of the periods in which they are; periods without data are left out."""
    where = " AND p.unit = ?" if unit else ""
    rows = ctx.store.execute(
        "SELECT p.* FROM cloudwatch_points p JOIN cloudwatch_series s ON s.id = p.series "
        "WHERE s.account = ? AND s.region = ? AND s.namespace = ? AND s.name = ? AND s.dimensions = ? "
        f"AND p.time >= ? AND p.time < ?{where} ORDER BY p.time",
        *ctx.scope,
        metric["Namespace"],
        metric["MetricName"],
        canonical(metric.get("Dimensions") or ()),
        start,
        end,
        *([unit] if unit else []),
    )
    periods: defaultdict[float, list[StatisticSet]] = defaultdict(list)
    for row in rows:
        periods[row["time"] // period * period].append(_set(row))
    return {time: merged(sets) for time, sets in periods.items()}


def _set(row: Row) -> StatisticSet:
    histogram = dict(json.loads(row["histogram"]))
    return StatisticSet(row["count"], row["sum"], row["minimum"], row["maximum"], histogram)


def _once(engine: Engine) -> Iterator[tuple[Scope, str]]:
    yield Scope("*", "*"), "points"


async def _expire(ctx: Context, key: str) -> float | None:
    """Delete what is older than metrics are kept, and sum seconds up to minutes after three hours.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html#high-resolution-metrics"""
    while _sum_up(ctx, ctx.now() - _KEPT_BY_SECOND):
        await asyncio.sleep(0)
    oldest = ctx.now() - _KEPT
    with ctx.store.transaction():
        ctx.store.execute("DELETE FROM cloudwatch_points WHERE time < ?", oldest)
        ctx.store.execute("DELETE FROM cloudwatch_series WHERE last < ?", oldest)
        ctx.store.execute("DELETE FROM cloudwatch_history WHERE time < ?", oldest)
    return _EVERY


def _sum_up(ctx: Context, before: float) -> bool:
    """Put some points of seconds into those of their minutes; False when none was left."""
    rows = ctx.store.execute(
        "SELECT * FROM cloudwatch_points WHERE time < ? AND CAST(time AS INTEGER) % 60 <> 0 LIMIT ?",
        before,
        _AT_ONCE,
    )
    minutes: defaultdict[tuple[int, float, str], list[StatisticSet]] = defaultdict(list)
    for row in rows:
        minutes[row["series"], row["time"] // 60 * 60, row["unit"]].append(_set(row))
    with ctx.store.transaction():
        for (series, start, unit), sets in minutes.items():
            _merge(ctx, series, start, unit, merged(sets))
        for row in rows:
            ctx.store.execute(
                "DELETE FROM cloudwatch_points WHERE series = ? AND time = ? AND unit = ?",
                row["series"],
                row["time"],
                row["unit"],
            )
    return bool(rows)


EXPIRY = Reconciler("cloudwatch.expiry", _once, _expire)
