"""The audit trail: who changed what, and what was denied.

At home all events are looked at, each once, after a first look at what changed. AWS answers two such requests a
second, and tells events up to fifteen minutes late: there only what changes is asked for, again for that long.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from homeport.cli.console.delivery import Delivery, Refusals

SHOWN = 14
DENIED = 5
FIRST = timedelta(hours=3)
LATE = timedelta(minutes=15)
PAGES_AT_HOME = 20
PAGES_ON_AWS = 4
_ROUTINE = frozenset(
    (
        "AssumeRole",
        "CreateLogStream",
        "PutLogEvents",
        "InitiateLayerUpload",
        "UploadLayerPart",
        "CompleteLayerUpload",
    )
)
"""What every push of an image and every task does, and who wants to know what changed does not ask for."""
_REFUSED = re.compile("AccessDenied|Unauthorized")


def read(delivery: Delivery, refusals: Refusals) -> dict[str, Any]:
    """`events`, the newest first; `denied`, how many were, and `older`, those of them that are not among the events."""
    seen: dict[str, dict[str, Any]] = delivery.ended.setdefault("trail", {})
    since = max((each["when"] for each in seen.values()), default=datetime.now(UTC) - FIRST)
    for event in _events(delivery, since, not seen):
        seen[event["EventId"]] = {"when": event["EventTime"], **_told(event)}
    kept = sorted(seen.items(), key=lambda pair: pair[1]["when"], reverse=True)
    told = [(id, each) for id, each in kept if each.get("name")]
    delivery.ended["trail"] = dict([*kept[:1], *told[:200]])  # the newest of all says where to go on
    denied = [each for _, each in told if each["denied"]]
    shown = _gathered(each for _, each in told)[:SHOWN]
    older = [each for each in denied if each["when"] < shown[-1]["when"]]
    return {"events": shown, "denied": len(denied), "older": _gathered(older)[:DENIED]}


def _gathered(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events, of those alike one after the other the last only, with how often."""
    alike = itertools.groupby(events, key=lambda each: {**each, "when": None})
    runs = (list(run) for _, run in alike)
    return [{**run[0], "times": len(run)} for run in runs]


def _events(delivery: Delivery, since: datetime, is_first: bool) -> Iterator[dict[str, Any]]:
    changes = [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    which: dict[str, Any] = {"StartTime": since if delivery.is_local else since - LATE}
    if is_first or not delivery.is_local:
        which["LookupAttributes"] = changes
    most = 50 * (PAGES_AT_HOME if delivery.is_local else PAGES_ON_AWS)
    pages = (
        delivery.client("cloudtrail")
        .get_paginator("lookup_events")
        .paginate(PaginationConfig={"MaxItems": most, "PageSize": 50}, **which)
    )
    for page in pages:
        yield from page["Events"]


def _told(event: dict[str, Any]) -> dict[str, Any]:
    """What is told of an event: nothing of what changed nothing, or of what AWS's services do by themselves."""
    record = json.loads(event.get("CloudTrailEvent") or "{}")
    denied = bool(_REFUSED.search(record.get("errorCode") or ""))
    identity = record.get("userIdentity") or {}
    changes = not record.get("readOnly") and record.get("managementEvent", True)
    routine = identity.get("type") == "AWSService" or event["EventName"] in _ROUTINE
    if not denied and (routine or not changes or event["EventName"].startswith("Batch")):
        return {}
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return {
        "name": event["EventName"],
        "source": event["EventSource"].partition(".")[0],
        "who": issuer.get("userName") or event.get("Username") or "",
        "on": next((each["ResourceName"] for each in event.get("Resources", [])), ""),
        "denied": denied,
        "failed": record.get("errorCode") or "",
        "says": record.get("errorMessage") or "",
    }
