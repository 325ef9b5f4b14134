"""Reading a container's output so that a reader who was killed goes on without losing or doubling a line.

Docker stamps every line with nanoseconds and can start at a stamp, that stamp included. A position is therefore
the stamp of the last line that was taken, and how many lines of this very stamp were taken.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from homeport.engine.containers.client import Client

if TYPE_CHECKING:
    import aiohttp

_HEADER = struct.Struct(">BxxxL")
LONGEST_LINE = 1024 * 1024
PIECE = 16 * 1024
"""Docker cuts a longer line into pieces of this many bytes."""
_DISORDER = 10**9


class Position(NamedTuple):
    """After which line to go on: the nanoseconds of its stamp, and its number among the lines of that stamp."""

    stamp: int
    number: int


class Line(NamedTuple):
    """One line of output without its newline: where it stands, its time, `stdout` or `stderr`, its text."""

    position: Position
    time: float
    stream: str
    text: str


class _Part(NamedTuple):
    stamp: int
    stream: int
    data: bytes
    last: bool


async def read_logs(
    client: Client, name: str, after: Position | None, follow: bool, tail: int | None = None
) -> AsyncIterator[Line]:
    """The lines after a position; with `follow` until the container ends. Lines above 1 MiB are cut."""
    params: dict[str, str | int] = {
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "follow": str(int(follow)),
    }
    if after is not None:
        # stdout and stderr may be a little out of order, so the place of the line decides, not its stamp
        begin = after.stamp - _DISORDER
        params["since"] = f"{begin // 10**9}.{begin % 10**9:09d}"
    if tail is not None:
        params["tail"] = tail
    inspected = await client.call("GET", f"containers/{name}/json")
    tty = bool(inspected["Config"]["Tty"])
    passed = after is None
    async with client.stream("GET", f"containers/{name}/logs", params) as response:
        async for line in _lines(_raw_parts(response) if tty else _framed_parts(response)):
            if passed:
                yield line
            elif after is not None and line.position.stamp > after.stamp + _DISORDER:
                passed = True
                yield line
            else:
                passed = line.position == after


async def _lines(parts: AsyncIterator[_Part]) -> AsyncIterator[Line]:
    unfinished: dict[int, list[bytes]] = {}
    position = Position(0, 0)
    async for part in parts:
        count = position.number + 1 if part.stamp == position.stamp else 1
        position = Position(part.stamp, count)
        pieces = unfinished.setdefault(part.stream, [])
        if sum(map(len, pieces)) < LONGEST_LINE:
            pieces.append(part.data)
        if part.last:
            yield _line(position, part.stream, unfinished.pop(part.stream))
    for stream, pieces in unfinished.items():
        yield _line(position, stream, pieces)
        position = Position(position.stamp, position.number + 1)


def _line(position: Position, stream: int, pieces: list[bytes]) -> Line:
    text = b"".join(pieces)[:LONGEST_LINE].decode("utf-8", "replace")
    return Line(position, position.stamp / 1e9, "stderr" if stream == 2 else "stdout", text)


async def _framed_parts(response: aiohttp.ClientResponse) -> AsyncIterator[_Part]:
    """Without a terminal, Docker sends a frame for each line, or piece of 16 KiB of a long one."""
    import asyncio

    while True:
        try:
            stream, length = _HEADER.unpack(await response.content.readexactly(_HEADER.size))
            frame = await response.content.readexactly(length)
        except asyncio.IncompleteReadError:
            return
        yield _part(stream, frame)


async def _raw_parts(response: aiohttp.ClientResponse) -> AsyncIterator[_Part]:
    """With a terminal, Docker sends the bare lines."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield _part(1, line.removesuffix(b"\r") + b"\n")
    if rest:
        yield _part(1, rest)


def _part(stream: int, frame: bytes) -> _Part:
    stamp, _, data = frame.partition(b" ")
    # the driver `local` forgets the newline after the last piece of a long line, so the length decides as well
    last = data.endswith(b"\n") or len(data) != PIECE
    return _Part(_nanoseconds(stamp.decode("ascii")), stream, data.removesuffix(b"\n"), last)


def _nanoseconds(stamp: str) -> int:
    """`2026-01-02T03:04:05.123456789Z` as nanoseconds since the epoch."""
    from datetime import datetime

    head, _, fraction = stamp.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(head + "+00:00").timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)
