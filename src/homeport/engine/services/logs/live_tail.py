"""Live tail: new events as they come.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs import files
from homeport.engine.services.logs.filter_patterns import compiled
from homeport.engine.services.logs.groups import find_group
from homeport.engine.services.logs.streams import list_streams
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_MAX_RESULTS = 500
_LONGEST = 3 * 3600.0
_GATHER = 0.1


@operation
async def start_live_tail(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html"""
    groups = [find_group(ctx, identifier) for identifier in request["logGroupIdentifiers"]]
    names, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
    if names and prefixes:
        raise AwsError(
            "InvalidParameterException",
            "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.",
        )
    if (names or prefixes) and len(groups) > 1:
        raise AwsError("InvalidParameterException", "Log streams can be named for one log group only.")
    compiled(request.get("logEventFilterPattern") or "")
    # Where each stream stands now: the session tells what comes after.
    places = {
        row["id"]: row["events"] for group in groups for row in list_streams(ctx, group["logGroupName"])
    }
    return {"responseStream": _session(ctx, groups, request, places)}


async def _session(
    ctx: Context, groups: list[Body], request: dict[str, Any], places: dict[int, int]
) -> AsyncIterator[dict[str, Any]]:
    """An update whenever events come, and at least every second."""
    yield {
        "sessionStart": {
            "requestId": ctx.request_id,
            "sessionId": str(uuid.uuid4()),
            "logGroupIdentifiers": request["logGroupIdentifiers"],
            "logStreamNames": request.get("logStreamNames") or [],
            "logStreamNamePrefixes": request.get("logStreamNamePrefixes") or [],
            "logEventFilterPattern": request.get("logEventFilterPattern") or "",
        }
    }
    until = ctx.now() + _LONGEST
    topics = [files.topic(ctx, group["logGroupName"]) for group in groups]
    with ctx.engine.signals.listen(topics) as heard:
        while ctx.now() < until:
            if await heard.wait(1.0):
                # What comes together is told together.
                await ctx.clock.sleep(_GATHER)
            found = [event for group in groups for event in _new(ctx, group, request, places)]
            for first in range(0, len(found) or 1, _MAX_RESULTS):
                results = found[first : first + _MAX_RESULTS]
                yield {"sessionUpdate": {"sessionMetadata": {"sampled": False}, "sessionResults": results}}
    yield {"SessionTimeoutException": {"message": "The session has reached its three hours."}}


def _new(ctx: Context, group: Body, request: dict[str, Any], places: dict[int, int]) -> list[dict[str, Any]]:
    matches = compiled(request.get("logEventFilterPattern") or "")
    names, prefixes = request.get("logStreamNames"), tuple(request.get("logStreamNamePrefixes") or ("",))
    found = []
    for row in list_streams(ctx, group["logGroupName"]):
        place = places.get(row["id"], 0)
        places[row["id"]] = row["events"]
        if (
            row["events"] == place
            or (names and row["name"] not in names)
            or not row["name"].startswith(prefixes)
        ):
            continue
        found += [
            {
                "logStreamName": row["name"],
                "logGroupIdentifier": f"{ctx.account}:{group['logGroupName']}",
                "message": event.message,
                "timestamp": event.timestamp,
                "ingestionTime": event.ingested,
            }
            for event in files.since(ctx, row["id"], place)
            if matches(event.message) is not None
        ]
    return sorted(found, key=lambda each: (each["timestamp"], each["ingestionTime"]))
