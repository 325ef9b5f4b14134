"""What Envoy counted since the last look, for each target group and each load balancer.

Counters and histograms come from the admin interface, only when somebody asks: a request that goes well costs nothing
beyond Envoy's own counting. Failed ones stand in `errors.log`, which tells whose fault they were. How far the last look
came is kept in `metrics.json`, so that a restarted engine counts on.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeport.engine.proxy.admin import Admin

_COUNTERS = {
    "upstream_rq_completed": "requests",
    "upstream_rq_2xx": "status_2xx",
    "upstream_rq_3xx": "status_3xx",
    "upstream_rq_4xx": "status_4xx",
}
_FILTER = r"^cluster\.[^.]*\.(upstream_rq_completed|upstream_rq_[234]xx|upstream_rq_time)$"
_LONG_LOG = 16_000_000
_MERGED_SECONDS = 0.02


@dataclass
class GroupMetrics:
    """The requests that the load balancer gave to one target group, and what its targets answered."""

    requests: int = 0
    status_2xx: int = 0
    status_3xx: int = 0
    status_4xx: int = 0
    status_5xx: int = 0
    connection_errors: int = 0  # no connection to the target, or it was cut before the answer
    latencies: dict[float, int] = field(default_factory=dict)  # milliseconds → how many requests

    def add(self, other: GroupMetrics) -> None:
        """Add another group's numbers: those of a load balancer are the sum of its groups'."""
        for name in ("requests", "status_2xx", "status_3xx", "status_4xx", "status_5xx", "connection_errors"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for milliseconds, count in other.latencies.items():
            self.latencies[milliseconds] = self.latencies.get(milliseconds, 0) + count


@dataclass
class Collected:
    """`groups` by target group id; `errors` counts, by load balancer, the 5xx that it gave by itself."""

    groups: dict[str, GroupMetrics] = field(default_factory=dict)
    errors: dict[str, Counter[int]] = field(default_factory=dict)


class Metrics:
    """`collect` tells what happened since the last call."""

    def __init__(self, folder: Path, admin: Admin) -> None:
        self._folder = folder
        self._admin = admin

    async def collect(self) -> Collected:
        """The numbers since the last call, of those that had requests."""
        totals = await self._totals()
        before = self._kept()
        found = Collected()
        for group, numbers in totals.items():
            metrics = _difference(numbers, before["totals"].get(group, {}))
            if metrics.requests or metrics.latencies:
                found.groups[group] = metrics
        position = self._count_errors(found, before["position"])
        now = {"totals": totals, "position": position}
        if now != before:
            temporary = self._folder / ".metrics.json.new"
            temporary.write_text(json.dumps(now))
            temporary.rename(self._folder / "metrics.json")
        return found

    def _kept(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads((self._folder / "metrics.json").read_text())
        except (FileNotFoundError, ValueError):
            return {"totals": {}, "position": 0}
        return kept

    async def _totals(self) -> dict[str, dict[str, int]]:
        # Being asked makes Envoy merge its workers' histograms, a moment later.
        await self._admin.get("/stats?format=json&filter=^$")
        await asyncio.sleep(_MERGED_SECONDS)
        answer = await self._admin.get(f"/stats?format=json&histogram_buckets=detailed&filter={_FILTER}")
        totals: dict[str, dict[str, int]] = {}
        for stat in answer["stats"]:
            if "name" in stat:
                group, counter = _parts(stat["name"])
                if counter in _COUNTERS and stat["value"]:
                    totals.setdefault(group, {})[counter] = stat["value"]
            for histogram in stat.get("histograms", {}).get("details", []):
                group, _ = _parts(histogram["name"])
                for bucket in histogram.get("totals", []):
                    middle = bucket["lower_bound"] + bucket["width"] / 2
                    totals.setdefault(group, {})[f"ms:{middle:g}"] = bucket["count"]
        return totals

    def _count_errors(self, found: Collected, position: int) -> int:
        log = self._folder / "errors.log"
        size = log.stat().st_size if log.exists() else 0
        if size < position:
            position = 0
        if size == position:
            return position
        with log.open("rb") as file:
            file.seek(position)
            content = file.read(size - position)
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            _count_error(found, json.loads(line))
        position += len(whole)
        if position > _LONG_LOG and position == log.stat().st_size:
            os.truncate(log, 0)
            return 0
        return position


def _count_error(found: Collected, error: dict[str, Any]) -> None:
    group = found.groups.setdefault(error["target_group"], GroupMetrics()) if error["target_group"] else None
    if group and error["details"] == "via_upstream":
        group.status_5xx += 1
        return
    if group and "UH" in (error["flags"] or ""):
        group.requests -= 1  # no target was there to be chosen
    elif group and {"UF", "UC"} & set((error["flags"] or "").split(",")):
        group.connection_errors += 1
    if error["load_balancer"]:
        found.errors.setdefault(error["load_balancer"], Counter())[error["status"]] += 1


def _parts(name: str) -> tuple[str, str]:
    _, group, counter = name.split(".")
    return group, counter


def _difference(now: dict[str, int], before: dict[str, int]) -> GroupMetrics:
    # Smaller totals than before mean that Envoy was started anew: it counts from zero.
    if any(now.get(name, 0) < count for name, count in before.items()):
        before = {}
    metrics = GroupMetrics()
    for name, count in now.items():
        more = count - before.get(name, 0)
        if more and name.startswith("ms:"):
            metrics.latencies[float(name[3:])] = more
        elif more:
            setattr(metrics, _COUNTERS[name], more)
    return metrics


def total(parts: Iterable[GroupMetrics]) -> GroupMetrics:
    """The sum of several groups' numbers."""
    result = GroupMetrics()
    for part in parts:
        result.add(part)
    return result
