"""What tasks, builds and functions write, in pieces that CloudWatch Logs takes.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, TypedDict

from homeport.engine.wire.errors import AwsError

_OVERHEAD = 26
"""Bytes that each event counts beside its message."""
_EVENT_BYTES = 256 * 1024 - _OVERHEAD
_REQUEST_BYTES = 1024 * 1024
_REQUEST_EVENTS = 10_000
_REQUEST_MILLISECONDS = 24 * 3600 * 1000


class LogEvent(TypedDict):
    """AWS's InputLogEvent: milliseconds since the epoch, and a text that is not empty."""

    timestamp: int
    message: str


def pieces(text: str) -> list[str]:
    """The text, cut where it is longer than an event of the drivers of AWS (256 KiB)."""
    if len(text) * 4 <= _EVENT_BYTES:
        return [text]
    data, cut = text.encode(), []
    while data:
        piece = data[:_EVENT_BYTES].decode(errors="ignore")
        cut.append(piece)
        data = data[len(piece.encode()) :]
    return cut


def requests(events: Iterable[LogEvent]) -> Iterator[list[LogEvent]]:
    """Events in the order of their times, as many together as one PutLogEvents takes."""
    gathered: list[LogEvent] = []
    size = 0
    for event in events:
        own = len(event["message"].encode()) + _OVERHEAD
        full = size + own > _REQUEST_BYTES or len(gathered) == _REQUEST_EVENTS
        if gathered and (full or event["timestamp"] - gathered[0]["timestamp"] > _REQUEST_MILLISECONDS):
            yield gathered
            gathered, size = [], 0
        gathered.append(event)
        size += own
    if gathered:
        yield gathered


async def unless_there(creation: Awaitable[Any]) -> None:
    """Make a log group or stream; one that is there already stays. Raises AwsError."""
    try:
        await creation
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
