"""What Envoy counted for each target group since the last look.

Counters and histograms come from the admin interface, only when somebody asks: no cost per request beyond
Envoy's own. The totals of the last look are kept in `metrics.json`, so that a restarted engine counts on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from homeport.engine.proxy.admin import Admin

_COUNTERS = {
    "upstream_rq_completed": "requests",
    "upstream_rq_2xx": "status_2xx",
    "upstream_rq_3xx": "status_3xx",
    "upstream_rq_4xx": "status_4xx",
    "upstream_rq_5xx": "status_5xx",
}
_FILTER = r"^cluster\.[^.]*\.(upstream_rq_completed|upstream_rq_.xx|upstream_rq_time)$"


@dataclass
class GroupMetrics:
    """Numbers of one target group over the time since the last look. `status_5xx` includes what the load
    balancer answered for the target (nothing healthy, connection lost): errors.log tells them apart."""

    requests: int = 0
    status_2xx: int = 0
    status_3xx: int = 0
    status_4xx: int = 0
    status_5xx: int = 0
    latencies: dict[float, int] = field(default_factory=dict)  # milliseconds → how many requests

    def percentile(self, share: float) -> float | None:
        """The latency in milliseconds below which this share (0–1) of the requests stayed."""
        left = share * sum(self.latencies.values())
        for milliseconds in sorted(self.latencies):
            left -= self.latencies[milliseconds]
            if left <= 0:
                return milliseconds
        return None


class Metrics:
    def __init__(self, folder: Path, admin: Admin) -> None:
        self._file = folder / "metrics.json"
        self._admin = admin
        self._totals: dict[str, dict[str, float]] | None = None

    async def collect(self) -> dict[str, GroupMetrics]:
        """The numbers since the last call, of the groups that had requests."""
        totals = await self._read()
        before = self._before()
        found = {}
        for group, numbers in totals.items():
            metrics = _difference(numbers, before.get(group, {}))
            if metrics.requests or metrics.latencies:
                found[group] = metrics
        if found or totals.keys() != before.keys():
            temporary = self._file.with_suffix(".new")
            temporary.write_text(json.dumps(totals))
            temporary.rename(self._file)
        self._totals = totals
        return found

    def _before(self) -> dict[str, dict[str, float]]:
        if self._totals is None:
            try:
                self._totals = json.loads(self._file.read_text())
            except (FileNotFoundError, ValueError):
                self._totals = {}
        return self._totals

    async def _read(self) -> dict[str, dict[str, float]]:
        answer = await self._admin.get(f"/stats?format=json&histogram_buckets=detailed&filter={_FILTER}")
        totals: dict[str, dict[str, float]] = {}
        for stat in answer["stats"]:
            if "name" in stat:
                group, counter = _parts(stat["name"])
                if counter in _COUNTERS:
                    totals.setdefault(group, {})[counter] = stat["value"]
            for histogram in stat.get("histograms", {}).get("details", []):
                group, _ = _parts(histogram["name"])
                for bucket in histogram.get("totals", []):
                    middle = bucket["lower_bound"] + bucket["width"] / 2
                    totals.setdefault(group, {})[f"ms:{middle:g}"] = bucket["count"]
        return totals


def _parts(name: str) -> tuple[str, str]:
    _, group, counter = name.split(".")
    return group, counter


def _difference(now: dict[str, float], before: dict[str, float]) -> GroupMetrics:
    # Smaller totals than before mean that Envoy was started anew: it counts from zero.
    if any(now.get(name, 0) < count for name, count in before.items()):
        before = {}
    metrics = GroupMetrics()
    for name, count in now.items():
        more = int(count - before.get(name, 0))
        if not more:
            continue
        if name.startswith("ms:"):
            metrics.latencies[float(name[3:])] = more
        else:
            setattr(metrics, _COUNTERS[name], more)
    return metrics


def merge(parts: Iterable[GroupMetrics]) -> GroupMetrics:
    """The sum of several groups' numbers: those of their load balancer."""
    total = GroupMetrics()
    for part in parts:
        for name in ("requests", "status_2xx", "status_3xx", "status_4xx", "status_5xx"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        for milliseconds, count in part.latencies.items():
            total.latencies[milliseconds] = total.latencies.get(milliseconds, 0) + count
    return total
