"""The lines of a campaign as a table: a row for each configuration and kind of trial."""

from __future__ import annotations

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
    "split off by at most",
    "old version back, at most",
    "overhead, median and most",
    "wrong ends",
)


def table(lines: list[dict[str, Any]]) -> str:
    """One row for each kind; stages of a kind are counted together."""
    kinds: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        configuration, _, kind = line["scenario"].partition("/")
        kinds[configuration, kind.partition("@")[0]].append(line)
    return markdown(_HEAD, [_row(*kind, found) for kind, found in kinds.items()])


def _row(configuration: str, kind: str, lines: list[dict[str, Any]]) -> list[str]:
    whole = [line for line in lines if not line.get("broken")]
    return [
        configuration,
        kind,
        str(len(lines)),
        f"{sum(line['requests'] for line in whole):,}",
        str(sum(sum(line["failed"].values()) for line in whole)),
        f"{sum(line['its errors'] for line in whole):,}",
        _split(whole),
        _most([line["back"] for line in whole if "back" in line], "s"),
        _overhead([line["overhead"] for line in whole if "overhead" in line]),
        str(sum(bool(line["wrong"]) for line in lines)),
    ]


def _split(lines: list[dict[str, Any]]) -> str:
    """How far the share that was counted over all runs is from the one asked for, at the step where it is furthest."""
    steps: defaultdict[float, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        for percent, counted, requests in line["steps"]:
            steps[percent][0] += counted
            steps[percent][1] += requests
    off = [
        (abs(100 * counted / requests - percent), percent, requests)
        for percent, (counted, requests) in steps.items()
        if requests >= 1000
    ]
    if not off:
        return "–"
    furthest, percent, requests = max(off)
    return f"{furthest:.2f} % (at {percent:g} %, {requests:,} requests)"


def _most(values: list[float], unit: str) -> str:
    return f"{max(values):.2f} {unit}" if values else "–"


def _overhead(values: list[float]) -> str:
    if not values:
        return "–"
    return f"{sorted(values)[len(values) // 2]:.2f} s, {max(values):.2f} s"
