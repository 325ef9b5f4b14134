"""What a bucket's lifecycle rules expire.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object version as the rules see it. `noncurrent_since` is when a newer version took its place, and
    `newer_noncurrent` how many noncurrent versions are newer; `only_marker` says that a delete marker is all
    that is left of the key."""

    key: str
    size: int
    tags: Mapping[str, str]
    modified: float
    current: bool = True
    delete_marker: bool = False
    noncurrent_since: float = 0.0
    newer_noncurrent: int = 0
    only_marker: bool = False


def expired_by(rules: Iterable[Mapping[str, Any]], version: Candidate, now: float) -> str | None:
    """The id of the first enabled rule that expires this version now, None when it stays."""
    for rule in rules:
        if rule.get("Status") == "Enabled" and applies(rule, version) and _is_due(rule, version, now):
            return str(rule.get("ID", ""))
    return None


def expiration(rules: Iterable[Mapping[str, Any]], version: Candidate) -> tuple[float, str] | None:
    """When and by which rule a current version expires, as the header x-amz-expiration tells."""
    dates = [
        (when, str(rule.get("ID", "")))
        for rule in rules
        if rule.get("Status") == "Enabled" and applies(rule, version)
        if (when := _expires(rule.get("Expiration", {}), version)) is not None
    ]
    return min(dates, default=None)


def abort_after(rules: Iterable[Mapping[str, Any]], key: str, initiated: float, now: float) -> bool:
    """Whether an unfinished multipart upload of this key has grown too old."""
    upload = Candidate(key, 0, {}, initiated)
    return any(
        now >= _midnight_after(initiated, days)
        for rule in rules
        if rule.get("Status") == "Enabled" and _prefix(rule, upload)
        if (days := rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")) is not None
    )


def applies(rule: Mapping[str, Any], version: Candidate) -> bool:
    """Whether the rule's filter takes the object: prefix, tags, size."""
    chosen = rule.get("Filter") or {}
    conditions = chosen.get("And") or chosen
    tags = list(conditions.get("Tags", ())) + ([conditions["Tag"]] if "Tag" in conditions else [])
    return (
        _prefix(rule, version)
        and all(version.tags.get(tag["Key"]) == tag["Value"] for tag in tags)
        and version.size > conditions.get("ObjectSizeGreaterThan", -1)
        and version.size < conditions.get("ObjectSizeLessThan", math.inf)
    )


def _prefix(rule: Mapping[str, Any], version: Candidate) -> bool:
    chosen = rule.get("Filter") or {}
    conditions = chosen.get("And") or chosen
    return version.key.startswith(conditions.get("Prefix") or rule.get("Prefix") or "")


def _is_due(rule: Mapping[str, Any], version: Candidate, now: float) -> bool:
    if version.current:
        expires = rule.get("Expiration", {})
        if version.delete_marker:
            if not version.only_marker:
                return False
            aged = "Days" in expires and now >= _midnight_after(version.modified, expires["Days"])
            return bool(expires.get("ExpiredObjectDeleteMarker")) or aged
        when = _expires(expires, version)
        return when is not None and now >= when
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    days = noncurrent.get("NoncurrentDays")
    if days is None or version.newer_noncurrent < noncurrent.get("NewerNoncurrentVersions", 0):
        return False
    return now >= _midnight_after(version.noncurrent_since, days)


def _expires(expires: Mapping[str, Any], version: Candidate) -> float | None:
    if "Days" in expires:
        return _midnight_after(version.modified, expires["Days"])
    return float(expires["Date"]) if "Date" in expires else None


def _midnight_after(start: float, days: int) -> float:
    """S3 adds the days and rounds up to the next midnight UTC."""
    return math.ceil((start + days * DAY) / DAY) * DAY
