"""A running build's log: from what the container writes to lines in the store, and from there to CloudWatch Logs.

A line and what it means for the build (a phase begins, a command failed) are written in one transaction with the
position up to which the container's output was read. How many lines are in the log stream is counted there when an
engine takes over from one that was killed. So no line is lost, none is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from homeport.engine.containers.logs import Line, Position
from homeport.engine.services.codebuild import board
from homeport.engine.services.codebuild.environment import Mask
from homeport.engine.services.codebuild.phases import PlannedPhase
from homeport.engine.services.codebuild.tables import TRANSCRIPTS, Row
from homeport.engine.services.context import Context

MARK = "\x1e"
_PARTS = {"commands": "commands", "finally": "finally"}


class Entry(NamedTuple):
    """A line of the log."""

    time: float
    text: str


def begin(ctx: Context, id: str, nonce: str) -> None:
    """Begin the transcript of a build."""
    TRANSCRIPTS.put(
        ctx,
        {
            "id": id,
            "nonce": nonce,
            "plan": {},
            "count": 0,
            "written": 0,
            "taken": None,
            "ran": {},
            "result": None,
        },
    )


def plan_commands(ctx: Context, id: str, phases: Iterable[PlannedPhase]) -> None:
    """Remember what the commands are called, which the container tells by their numbers only."""
    row = get(ctx, id)
    row["plan"] = {
        phase.name: {"commands": list(phase.commands), "finally": list(phase.finally_)} for phase in phases
    }
    TRANSCRIPTS.put(ctx, row)


def get(ctx: Context, id: str) -> Row:
    """The transcript's row."""
    row = TRANSCRIPTS.get(ctx, id)
    assert row is not None
    return row


def say(ctx: Context, id: str, *messages: str) -> None:
    """Lines of CodeBuild's own."""
    now = ctx.now()
    row = get(ctx, id)
    _append(ctx, row, [Entry(now, own(now, message)) for message in messages])
    TRANSCRIPTS.put(ctx, row)


def own(time: float, message: str) -> str:
    """`[Container] 2024/07/12 01:21:51.170731 Entering phase BUILD`"""
    return f"[Container] {datetime.fromtimestamp(time, UTC):%Y/%m/%d %H:%M:%S.%f} {message}"


def take(ctx: Context, id: str, lines: Sequence[Line], mask: Mask) -> None:
    """Take over what the container has written."""
    with ctx.store.transaction():
        row = get(ctx, id)
        prefix = f"{MARK}{row['nonce']} "
        entries: list[Entry] = []
        for line in lines:
            text, mark, control = line.text.partition(prefix)
            if text or not mark:
                entries.append(Entry(line.time, mask.apply(text)))
            if mark:
                entries += [
                    Entry(line.time, mask.apply(own(line.time, message)))
                    for message in _control(ctx, row, control.split(" "), line.time)
                ]
            row["taken"] = list(line.position)
        _append(ctx, row, entries)
        TRANSCRIPTS.put(ctx, row)


def position(row: Row) -> Position | None:
    """Up to where the container's output was read."""
    return Position(*row["taken"]) if row["taken"] else None


def _control(ctx: Context, row: Row, words: list[str], time: float) -> list[str]:
    """What the agent tells: change the build, and say what AWS's agent would say."""
    verb, *rest = words
    if verb == "phase":
        row["phase"] = rest[0]
        board.enter(ctx, row["id"], rest[0], time)
        return [f"Entering phase {rest[0]}"]
    if verb == "run":
        return [f"Running command {_command(row, *rest)}"]
    if verb == "failed":
        command = _command(row, *rest[:2])
        row["failure"] = f"Error while executing command: {command}. Reason: exit status {rest[2]}"
        return [f"Command did not exit successfully {command} exit status {rest[2]}"]
    if verb == "retry":
        return [f"Retrying phase {rest[0]}, attempt {rest[1]}"]
    if verb == "end":
        return _end(ctx, row, rest[0], rest[1], time)
    if verb == "done":
        row["result"] = rest[0] == "1"
    return []


def _end(ctx: Context, row: Row, phase: str, status: str, time: float) -> list[str]:
    failed = status == "FAILED"
    code = "COMMAND_EXECUTION_ERROR" if failed else ""
    message = row.get("failure", "") if failed else ""
    row["ran"][phase] = not failed
    board.leave(ctx, row["id"], status, time, code, message)
    return [
        f"Phase complete: {phase} State: {status}",
        f"Phase context status code: {code} Message: {message}",
    ]


def _command(row: Row, part: str, number: str) -> str:
    return str(row["plan"][row["phase"]][_PARTS[part]][int(number)])


def _append(ctx: Context, row: Row, entries: Iterable[Entry]) -> None:
    for entry in entries:
        for text in _pieces(entry.text):
            row["count"] += 1
            ctx.store.execute(
                "INSERT INTO codebuild_lines VALUES (?, ?, ?, ?, ?, ?)",
                *(*ctx.scope, row["id"], row["count"], entry.time, text),
            )


_LONGEST = 200_000
"""Characters of an event; CloudWatch Logs takes 256 KiB."""


def _pieces(text: str) -> list[str]:
    if len(text) <= _LONGEST // 4 or len(text.encode()) <= _LONGEST:
        return [text]
    return [text[start : start + _LONGEST // 4] for start in range(0, len(text), _LONGEST // 4)]


def lines(ctx: Context, id: str, after: int, limit: int) -> list[Any]:
    """The lines after a number, as rows of number, time and text."""
    return ctx.store.execute(
        "SELECT number, time, text FROM codebuild_lines WHERE account = ? AND region = ? AND id = ? AND number > ? "
        "ORDER BY number LIMIT ?",
        *(*ctx.scope, id, after, limit),
    )


def drop(ctx: Context, id: str) -> None:
    """Forget a transcript whose log is complete."""
    ctx.store.execute(
        "DELETE FROM codebuild_lines WHERE account = ? AND region = ? AND id = ?", *ctx.scope, id
    )
    TRANSCRIPTS.delete(ctx, id)
