"""The lines of a campaign as two tables: what became of each configuration and kind of trial, and each split of the
traffic beside the one that was asked for."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from typing import Any

from bench.campaign import markdown

_HEAD = (
    "configuration",
    "what happens",
    "runs",
    "requests",
    "failed",
    "the bad version's own errors",
    "old version back, at most",
    "overhead, median and most",
    "wrong ends",
)
_SPLIT = ("configuration", "asked for, %", "counted, %", "off by", "requests", "standard deviation")
_ENOUGH = 5000
"""Requests below which the counted share says little."""
_STEP = 100
"""Requests of a single step that make its score a fair one."""


def table(lines: list[dict[str, Any]]) -> str:
    """One row for each kind, the stages of a kind counted together; then one for each step, over all trials."""
    kinds: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        configuration, _, kind = line["scenario"].partition("/")
        kinds[configuration, kind.partition("@")[0]].append(line)
    outcomes = markdown(_HEAD, [_row(*kind, found) for kind, found in kinds.items()])
    return f"{outcomes}\n\n{markdown(_SPLIT, _splits(lines))}\n\n{_chance(lines)}"


def _row(configuration: str, kind: str, lines: list[dict[str, Any]]) -> list[str]:
    whole = [line for line in lines if not line.get("broken")]
    return [
        configuration,
        kind,
        str(len(lines)),
        f"{sum(line['requests'] for line in whole):,}",
        str(sum(sum(line["failed"].values()) for line in whole)),
        f"{sum(line['its errors'] for line in whole):,}",
        _most([line["back"] for line in whole if "back" in line], "s"),
        _overhead([line["overhead"] for line in whole if kind == "good"]),
        str(sum(bool(line["wrong"]) for line in lines)),
    ]


def _splits(lines: list[dict[str, Any]]) -> list[list[str]]:
    """Each share that was asked for, with the one that was counted over all trials."""
    steps: defaultdict[tuple[str, float], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        for percent, counted, requests in line.get("steps", []):
            found = steps[line["scenario"].partition("/")[0], percent]
            found[0] += counted
            found[1] += requests
    rows = []
    for (configuration, percent), (counted, requests) in sorted(steps.items()):
        if 0 < percent < 100 and requests >= _ENOUGH:
            share, chance = 100 * counted / requests, percent / 100
            deviation = 100 * math.sqrt(chance * (1 - chance) / requests)
            cells = (f"{percent:g}", f"{share:.2f}", f"{abs(share - percent):.2f}", f"{requests:,}")
            rows.append([configuration, *cells, f"{deviation:.2f}"])
    return rows


def _chance(lines: list[dict[str, Any]]) -> str:
    """Whether the shares of the single steps differ from those asked for as chance alone makes them differ."""
    scores = [
        (counted - requests * percent / 100) / math.sqrt(requests * percent / 100 * (1 - percent / 100))
        for line in lines
        for percent, counted, requests in line.get("steps", [])
        if 0 < percent < 100 and requests >= _STEP
    ]
    if len(scores) < 2:
        return ""
    return (
        f"{len(scores)} steps counted one by one, in standard deviations off what was asked: mean "
        f"{statistics.mean(scores):.2f}, standard deviation {statistics.stdev(scores):.2f} (chance alone: 0 and 1)."
    )


def _most(values: list[float], unit: str) -> str:
    return f"{max(values):.2f} {unit}" if values else "–"


def _overhead(values: list[float]) -> str:
    if not values:
        return "–"
    return f"{sorted(values)[len(values) // 2]:.2f} s, {max(values):.2f} s"
