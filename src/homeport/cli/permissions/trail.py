"""What roles did, from the audit trail.

The engine records which action was authorized on which resource (`additionalEventData.authorization`). AWS records the
API call; its action follows from the event's source and name.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from homeport.cli.target import AGENT_OF_CONSOLE

_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag", "models-v2-lex": "lex"}
"""Sources of events whose actions have another prefix. https://docs.aws.amazon.com/service-authorization/"""
_ACTIONS = {
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:CopyObject": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Events whose action has another name than the operation.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""


@dataclass(slots=True)
class Use:
    """How often a role did an action, when last, and on what; `unnamed` counts the events that do not tell it."""

    count: int = 0
    last: datetime | None = None
    resources: set[str] = field(default_factory=set)
    unnamed: int = 0

    def add(self, when: datetime, resource: str) -> None:
        self.count += 1
        self.last = max(self.last or when, when)
        if resource:
            self.resources.add(resource)
        else:
            self.unnamed += 1


@dataclass(slots=True)
class Trail:
    """What was read: `used` and `denied` by role name, then by action. `complete` is False when there were more
    events than were asked for; `records_data` tells a trail that has data events, too."""

    used: dict[str, dict[str, Use]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Use)))
    denied: dict[str, dict[str, Use]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Use)))
    events: int = 0
    oldest: datetime | None = None
    complete: bool = True
    records_data: bool = False


def read(cloudtrail: Any, roles: set[str], since: datetime, most: int) -> Trail:
    """The newest events of the roles since a moment, `most` at most. What the console asked for, which polls, is not
    counted among them."""
    trail = Trail()
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        StartTime=since, PaginationConfig={"PageSize": 50}
    )
    for page in pages:
        for event in page["Events"]:
            record = json.loads(event.get("CloudTrailEvent") or "{}")
            if AGENT_OF_CONSOLE in (record.get("userAgent") or ""):
                continue
            if trail.events == most:
                trail.complete = False
                return trail
            trail.events += 1
            trail.oldest = event["EventTime"]
            _note(trail, record, roles, event["EventTime"])
    return trail


def _note(trail: Trail, record: dict[str, Any], roles: set[str], when: datetime) -> None:
    trail.records_data |= "authorization" in (record.get("additionalEventData") or {})
    role = _role(record)
    if role not in roles:
        return
    refused = re.search("AccessDenied|Unauthorized", record.get("errorCode") or "")
    into = trail.denied if refused else trail.used
    for action, resource in _authorized(record):
        into[role][action].add(when, resource)


def _role(record: dict[str, Any]) -> str:
    identity = record.get("userIdentity") or {}
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return str(issuer.get("userName", "")) if identity.get("type") == "AssumedRole" else ""


def _authorized(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    decision = (record.get("additionalEventData") or {}).get("authorization")
    if decision and "action" in decision:
        for each in (decision, *decision.get("also", ())):
            yield each["action"], each.get("resource", "*")
        return
    source = record["eventSource"].partition(".")[0]
    name = re.sub(r"(20\d\d(_?\d\d){2})?(v\d)?$", "", record["eventName"])
    action = f"{_PREFIXES.get(source, source)}:{name}"
    arns = [each["ARN"] for each in record.get("resources") or () if each.get("ARN")]
    for arn in arns or [""]:
        yield _ACTIONS.get(action, action), arn
