"""How executions look in the terminal: the pipeline as AWS's console shows it, as text."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from homeport.cli.deployments import Deployment
from homeport.cli.pipelines import Action, Execution

COLORS = {
    "Succeeded": "green",
    "Failed": "red",
    "InProgress": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Superseded": "yellow",
    "Abandoned": "yellow",
    "Pending": "bright_black",
}
_FIXED = 6
"""Columns that are shown whole; the summary after them gets the room that is left."""
MARKS = {"Succeeded": "✓", "Failed": "✗", "InProgress": "●", "Pending": "·", "Abandoned": "–"}


def execution(shown: Execution, note: str = "") -> RenderableType:
    """One execution: a head line, then a line for each action, then the reason when it failed."""
    color = COLORS.get(shown.status, "white")
    head = Text.assemble(
        (shown.pipeline, "bold"), "  ", (shown.status, f"bold {color}"), "  ", seconds(shown.seconds)
    )
    if shown.revision:
        subject = shown.message.splitlines()[0] if shown.message else ""
        head.append_text(Text.assemble("  ", (shown.revision[:7], "magenta"), f" {subject}"))
    head.no_wrap, head.overflow = True, "ellipsis"
    table = Table(show_header=False, box=None, padding=(0, 1))
    for _ in range(_FIXED):
        table.add_column(no_wrap=True)
    stage = None
    for action in shown.actions:
        table.add_row(Text("" if action.stage == stage else action.stage, "bold"), *_cells(action))
        stage = action.stage
    parts: list[RenderableType] = [head, table]
    if (failed := shown.failure) and failed.summary:
        parts.append(Text(f"{failed.name}: {failed.summary}", "red"))
    if note:
        parts.append(Text(note, "bright_black"))
    return Group(*parts)


def _cells(action: Action) -> tuple[RenderableType, ...]:
    color = COLORS.get(action.status, "white")
    summary = action.summary.splitlines()[0][:90] if action.summary and action.status != "Failed" else ""
    return (
        Text(MARKS.get(action.status, "?"), color),
        Text(action.name),
        Text(action.provider, "bright_black"),
        Text(action.status, color),
        Text(seconds(action.seconds), "bright_black"),
        Text(summary, "bright_black", no_wrap=True, overflow="ellipsis"),
    )


def deployment(shown: Deployment) -> RenderableType:
    """A service's deployment that is under way: where it is, who has the traffic, what it waits for, what to do."""
    head = Text.assemble(
        (shown.service, "bold"),
        f"  {shown.strategy}  ",
        (shown.stage, "cyan"),
        f"  {shown.status.lower().replace('_', ' ')}",
    )
    lines = [f"new tasks   {shown.tasks}"]
    if shown.production is not None:
        lines.append(
            f"traffic     new {shown.production:g} %, old {100 - shown.production:g} %; test {shown.test or 0:g} %"
        )
    if shown.waits:
        lines.append(f"waits for   {shown.waits}")
    if shown.reason:
        lines.append(f"reason      {shown.reason}")
    lines += [f"{what:<12}{command}" for what, command in shown.commands]
    return Group(head, *(Text(f"  {line}", overflow="fold") for line in lines))


def seconds(value: float | None) -> str:
    """`4.2s`, `3m 07s`, `2h 05m`; empty for None."""
    if value is None:
        return ""
    if value < 60:
        return f"{value:.1f}s"
    minutes, rest = divmod(int(value), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def as_json(value: Any) -> Any:
    """Dataclasses and datetimes as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
