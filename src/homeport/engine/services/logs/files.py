"""Log events on disk: append-only files whose offsets are in the store.

<data>/logs/<stream id>/<segment>.log     one JSON array a line: [timestamp, ingestion time, message]

A batch is written behind the last recorded offset and fsync'd, then its row is committed: what a killed engine
wrote without recording it is overwritten by the next batch, so no line is lost or doubled. A row describes a chunk
of a file; a small chunk grows by further batches. A file holds some megabytes; those whose lines have all expired
are deleted.
"""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from sqlite3 import Row
from typing import NamedTuple

from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.store.files import write_all

SEGMENT_SIZE = 4 * 1024 * 1024
CHUNK_SIZE = 64 * 1024
_FOLDER = "logs"


class Event(NamedTuple):
    """One log event. Events are ordered by time, then by stream and place in it."""

    timestamp: int
    stream: int
    ordinal: int
    ingested: int
    message: str

    @property
    def id(self) -> str:
        """The eventId: unique, and in the events' order."""
        return f"{self.timestamp:020d}{self.stream:016d}{self.ordinal:020d}"


Position = tuple[int, int, int]
"""Where an event stands in the order: timestamp, stream, ordinal."""


def position(event_id: str) -> Position:
    """The place of the event with this id. Raises ValueError."""
    if len(event_id) != 56:
        raise ValueError(event_id)
    return int(event_id[:20]), int(event_id[20:36]), int(event_id[36:])


def append(ctx: Context, stream: Row, events: Sequence[tuple[int, str]]) -> None:
    """Keep events (timestamp, message) in the order of their time, durably."""
    now = int(ctx.now() * 1000)
    lines = [json.dumps([timestamp, now, message], separators=(",", ":")) for timestamp, message in events]
    data = "".join(f"{line}\n" for line in lines).encode()
    segment, offset = stream["segment"], stream["segment_size"]
    if offset and offset + len(data) > SEGMENT_SIZE:
        segment, offset = segment + 1, 0
    _write(_file(ctx, stream["id"], segment), offset, data)
    with ctx.store.transaction():
        _record(ctx, stream, segment, offset, len(data), events)
        ctx.store.execute(
            "UPDATE logs_streams SET first = min(coalesce(first, ?1), ?1), last = max(coalesce(last, ?2), ?2), "
            "ingested = ?3, bytes = bytes + ?4, events = events + ?5, segment = ?6, segment_size = ?7 WHERE id = ?8",
            events[0][0],
            events[-1][0],
            now,
            sum(len(message.encode()) + 26 for _, message in events),
            len(events),
            segment,
            offset + len(data),
            stream["id"],
        )
        ctx.notify(topic(ctx, stream["log_group"]))


def topic(ctx: Context, group: str) -> str:
    """What is notified when the log group gets events."""
    return "/".join(("logs", *ctx.scope, group))


def _write(file: Path, offset: int, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("r+b" if file.exists() else "w+b", buffering=0) as out:
        out.seek(offset)
        write_all(out, data)
        out.truncate()
        os.fsync(out.fileno())


def _record(
    ctx: Context, stream: Row, segment: int, offset: int, length: int, events: Sequence[tuple[int, str]]
) -> None:
    first, last = events[0][0], events[-1][0]
    rows = ctx.store.execute(
        "SELECT * FROM logs_chunks WHERE stream = ? ORDER BY ordinal DESC LIMIT 1", stream["id"]
    )
    if rows and rows[0]["segment"] == segment and rows[0]["length"] < CHUNK_SIZE and rows[0]["last"] <= first:
        ctx.store.execute(
            "UPDATE logs_chunks SET events = events + ?, length = length + ?, last = ? "
            "WHERE stream = ? AND ordinal = ?",
            len(events),
            length,
            last,
            stream["id"],
            rows[0]["ordinal"],
        )
        return
    chunk = (stream["id"], stream["events"], len(events), segment, offset, length, first, last)
    ctx.store.execute("INSERT INTO logs_chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *chunk)


def read(ctx: Context, stream: int, start: int, end: int, newest_first: bool = False) -> Iterator[Event]:
    """A stream's events from `start` up to, not including, `end` (milliseconds), in their order."""
    order = "last DESC" if newest_first else "first"
    chunks = ctx.store.execute(
        f"SELECT * FROM logs_chunks WHERE stream = ? AND last >= ? AND first < ? ORDER BY {order}",
        stream,
        start,
        end,
    )
    waiting: list[tuple[tuple[int, int], Event]] = []
    sign = -1 if newest_first else 1
    for chunk in chunks:
        edge = sign * (chunk["last"] if newest_first else chunk["first"])
        while waiting and waiting[0][0][0] < edge:
            yield heapq.heappop(waiting)[1]
        for event in _events(ctx, chunk):
            if start <= event.timestamp < end:
                heapq.heappush(waiting, ((sign * event.timestamp, sign * event.ordinal), event))
    while waiting:
        yield heapq.heappop(waiting)[1]


def since(ctx: Context, stream: int, ordinal: int) -> Iterator[Event]:
    """A stream's events from this place in it on, in the order in which they came."""
    chunks = ctx.store.execute(
        "SELECT * FROM logs_chunks WHERE stream = ? AND ordinal + events > ? ORDER BY ordinal",
        stream,
        ordinal,
    )
    for chunk in chunks:
        yield from (event for event in _events(ctx, chunk) if event.ordinal >= ordinal)


def _events(ctx: Context, chunk: Row) -> Iterator[Event]:
    try:
        with _file(ctx, chunk["stream"], chunk["segment"]).open("rb") as file:
            file.seek(chunk["offset"])
            data = file.read(chunk["length"])
    except FileNotFoundError:
        # The stream was deleted, or expired, while it was being read.
        return
    for number, line in enumerate(data.decode().split("\n")[:-1]):
        timestamp, ingested, message = json.loads(line)
        yield Event(timestamp, chunk["stream"], chunk["ordinal"] + number, ingested, message)


def expire(ctx: Context, stream: int, before: int) -> None:
    """Delete what is older than `before`: rows at once, files as soon as all their lines are."""
    with ctx.store.transaction():
        ctx.store.execute("DELETE FROM logs_chunks WHERE stream = ? AND last < ?", stream, before)
        rows = ctx.store.execute("SELECT DISTINCT segment FROM logs_chunks WHERE stream = ?", stream)
        kept = {row["segment"] for row in rows}
        open_segment = ctx.store.execute("SELECT segment FROM logs_streams WHERE id = ?", stream)
        newest = open_segment[0]["segment"] if open_segment else -1
        if newest not in kept:
            # Nothing of the open file is left: the next batch begins a new one.
            ctx.store.execute(
                "UPDATE logs_streams SET segment = segment + 1, segment_size = 0 WHERE id = ? AND segment_size > 0",
                stream,
            )
        folder = _file(ctx, stream, 0).parent
        gone = [file for file in folder.glob("*.log") if int(file.stem) not in kept]
        ctx.store.after_commit(lambda: _remove(gone))


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def forget(ctx: Context, stream: int) -> None:
    """Delete a stream with its events; call it in a transaction."""
    ctx.store.execute("DELETE FROM logs_chunks WHERE stream = ?", stream)
    ctx.store.execute("DELETE FROM logs_streams WHERE id = ?", stream)
    folder = _file(ctx, stream, 0).parent
    ctx.store.after_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


def sweep(engine: Engine) -> None:
    """Remove the files of streams that a killed engine had forgotten, but not deleted."""
    known = {str(row["id"]) for row in engine.store.execute("SELECT id FROM logs_streams")}
    for folder in engine.folder(_FOLDER).iterdir():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)


def _file(ctx: Context, stream: int, segment: int) -> Path:
    return ctx.engine.folder(_FOLDER) / str(stream) / f"{segment}.log"
