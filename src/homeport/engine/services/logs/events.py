"""Log events: put, read, filter.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs import files, metric_filters, subscription_filters
from homeport.engine.services.logs.files import Event, Position, position
from homeport.engine.services.logs.filter_patterns import compiled
from homeport.engine.services.logs.groups import find_group, millis
from homeport.engine.services.logs.streams import find_stream, list_streams
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

DAY = 86_400_000
_OLDEST, _NEWEST = 14 * DAY, 2 * 3_600_000
_MAX_BATCH = 1_048_576
_OVERHEAD = 26
_END = 2**62
_MAX_SCANNED = 50_000


@operation
async def put_log_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    group = find_group(ctx, request["logGroupName"])
    stream = find_stream(ctx, group["logGroupName"], request["logStreamName"])
    given = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
    _check(given)
    kept, rejected = _accepted(given, millis(ctx), group.get("retentionInDays"))
    if kept:
        with ctx.store.transaction():
            files.append(ctx, stream, kept)
            subscription_filters.deliver(ctx, stream, kept)
        await metric_filters.measure(ctx, group["logGroupName"], kept)
    token = f"{stream['events'] + len(kept):056d}"
    return {"nextSequenceToken": token, "rejectedLogEventsInfo": rejected or None}


def _check(events: list[tuple[int, str]]) -> None:
    size = sum(len(message.encode()) + _OVERHEAD for _, message in events)
    if size > _MAX_BATCH:
        raise AwsError(
            "InvalidParameterException", f"Upload too large: {size} bytes exceeds limit of {_MAX_BATCH}"
        )
    if any(later[0] < earlier[0] for earlier, later in pairwise(events)):
        raise AwsError(
            "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.",
        )
    if events[-1][0] - events[0][0] > DAY:
        raise AwsError(
            "InvalidParameterException",
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        )


def _accepted(
    events: list[tuple[int, str]], now: int, retention: int | None
) -> tuple[list[tuple[int, str]], dict[str, int]]:
    expired = now - retention * DAY if retention else 0
    oldest = now - _OLDEST
    kept = [event for event in events if max(expired, oldest) <= event[0] <= now + _NEWEST]
    rejected: dict[str, int] = {}
    if gone := [number for number, event in enumerate(events) if event[0] < expired]:
        rejected["expiredLogEventEndIndex"] = gone[-1] + 1
    if old := [number for number, event in enumerate(events) if expired <= event[0] < oldest]:
        rejected["tooOldLogEventEndIndex"] = old[-1] + 1
    if new := [number for number, event in enumerate(events) if event[0] > now + _NEWEST]:
        rejected["tooNewLogEventStartIndex"] = new[0]
    return kept, rejected


@operation
async def get_log_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html

    A token is the direction and the event that the page ended with, so that a reader who follows a stream misses
    nothing and sees nothing twice.
    """
    group = find_group(ctx, request.get("logGroupIdentifier") or request.get("logGroupName") or "")
    stream = find_stream(ctx, group["logGroupName"], request["logStreamName"])
    start, end = _span(ctx, group, request)
    limit = request.get("limit", 10_000)
    token = request.get("nextToken")
    backward = token.startswith("b/") if token else not request.get("startFromHead")
    edge = _edge(token) if token else None
    events = files.read(ctx, stream["id"], start, end, newest_first=backward)
    if edge and backward:
        events = (event for event in events if event[:3] < edge)
    elif edge:
        events = (event for event in events if event[:3] > edge)
    found = _within_size(islice(events, limit))
    if backward:
        found.reverse()
    at_edge = (token or "")[2:] or "0" * 56
    first, last = (found[0].id, found[-1].id) if found else (at_edge, at_edge)
    return {
        "events": [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}
            for event in found
        ],
        "nextForwardToken": f"f/{last}",
        "nextBackwardToken": f"b/{first}",
    }


def _edge(token: str) -> Position:
    try:
        if token[:2] not in ("f/", "b/"):
            raise ValueError(token)
        return position(token[2:])
    except ValueError:
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.") from None


def _span(ctx: Context, group: Body, request: dict[str, Any]) -> tuple[int, int]:
    """The wanted time in milliseconds, without what retention has taken."""
    retention = group.get("retentionInDays")
    oldest = millis(ctx) - retention * DAY if retention else 0
    return max(request.get("startTime", 0), oldest), request.get("endTime", _END)


def _within_size(events: Iterator[Event]) -> list[Event]:
    """Events up to the size of one answer."""
    found: list[Event] = []
    size = 0
    for event in events:
        size += len(event.message.encode()) + _OVERHEAD
        if found and size > _MAX_BATCH:
            break
        found.append(event)
    return found


@operation
async def filter_log_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
    group = find_group(ctx, request.get("logGroupIdentifier") or request.get("logGroupName") or "")
    if request.get("logStreamNames") and request.get("logStreamNamePrefix"):
        raise AwsError(
            "InvalidParameterException",
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
        )
    matches = compiled(request.get("filterPattern") or "")
    start, end = _span(ctx, group, request)
    end = end if end == _END else end + 1
    token = request.get("nextToken")
    after = _after(token) if token else None
    if after:
        start = max(start, after[0])
    names = _names(ctx, group["logGroupName"], request, start)
    sources = [files.read(ctx, stream, start, end) for stream in names]
    found: list[Event] = []
    limit, size, last, whole = request.get("limit", 10_000), 0, None, True
    for scanned, event in enumerate(heapq.merge(*sources)):
        if after and event[:3] <= after:
            continue
        if len(found) == limit or size > _MAX_BATCH or scanned >= _MAX_SCANNED:
            whole = False
            break
        last = event
        if matches(event.message) is not None:
            found.append(event)
            size += len(event.message.encode()) + _OVERHEAD
    return {
        "events": [
            {
                "logStreamName": names[event.stream],
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingested,
                "eventId": event.id,
            }
            for event in found
        ],
        "searchedLogStreams": [],
        "nextToken": last.id if last and not whole else None,
    }


def _after(token: str) -> Position:
    try:
        return position(token)
    except ValueError:
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.") from None


def _names(ctx: Context, group: str, request: dict[str, Any], start: int) -> dict[int, str]:
    """The streams to look through, by id."""
    wanted = request.get("logStreamNames")
    rows = list_streams(ctx, group, request.get("logStreamNamePrefix") or "")
    if wanted and (missing := set(wanted) - {row["name"] for row in rows}):
        raise AwsError(
            "ResourceNotFoundException", f"The specified log stream does not exist: {min(missing)}"
        )
    return {
        row["id"]: row["name"]
        for row in rows
        if (not wanted or row["name"] in wanted) and row["last"] is not None and row["last"] >= start
    }
