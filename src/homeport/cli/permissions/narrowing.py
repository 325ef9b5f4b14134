"""From the resources that were used to the patterns that a policy should name in place of wider ones."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from homeport.cli.permissions.trail import Use

_PASSING = (
    r":logs:[^:]*:[^:]*:log-group:[^:]+:).*",
    r":s3:::[^/]+/(?:.+/)?)[^/]*",
    r":ecs:[^:]*:[^:]*:(?:task|task-set|service-deployment|service-revision)/.+/)[^/]+",
    r":ecs:[^:]*:[^:]*:task-definition/[^:]+:)[0-9]+",
    r":codebuild:[^:]*:[^:]*:(?:build|build-batch|report)/[^:]+:).+",
    r":states:[^:]*:[^:]*:execution:[^:]+:).+",
    r":application-autoscaling:[^:]*:[^:]*:scalable-target/).+",
    r":ec2:[^:]*:[^:]*:network-interface/).+",
)
"""Resources that come and go, and what stays of their ARNs: log streams, objects under a prefix, tasks, revisions."""
_FOLDERS = 5
"""More prefixes of one bucket than this become the one that they have in common."""
_MOST = 20
"""A statement with more resources than this is harder to read than it is safe."""


def narrowed(granted: list[str], uses: Iterable[Use]) -> list[str] | None:
    """The resources to name in place of those that are granted; None where they are as narrow as can be, or the trail
    does not tell enough: an event without a resource, an action on no resource in particular."""
    used: set[str] = set()
    for use in uses:
        if use.unnamed or not use.resources or any(not each.startswith("arn:") for each in use.resources):
            return None
        used |= use.resources
    found = sorted(_in_few_folders({_lasting(arn) for arn in used}))
    inside = all(any(fnmatchcase(each, one.replace("[", "[[]")) for one in granted) for each in found)
    return found if found and inside and len(found) <= _MOST and set(found) != set(granted) else None


def _lasting(arn: str) -> str:
    """The pattern that the resource has in common with those that come after it; itself, when it stays."""
    for pattern in _PASSING:
        if found := re.fullmatch(f"(arn:[^:]*{pattern}", arn):
            return f"{found[1]}*"
    return arn


def _in_few_folders(arns: set[str]) -> set[str]:
    buckets: dict[str, set[str]] = {}
    for arn in arns:
        if ":s3:::" in arn and "/" in arn:
            buckets.setdefault(arn.partition("/")[0], set()).add(arn.partition("/")[2].removesuffix("*"))
    for bucket, folders in buckets.items():
        if len(folders) > _FOLDERS:
            common = posixpath.commonpath([f"/{folder}" for folder in folders]).strip("/")
            arns = {each for each in arns if not each.startswith(f"{bucket}/")}
            arns.add(f"{bucket}/{common}/*" if common else f"{bucket}/*")
    return arns


def resources(statement: dict[str, Any]) -> list[str] | None:
    """The resources of a statement; None for one that names those that it is not about."""
    named = statement.get("Resource")
    return named if isinstance(named, list) else [named] if isinstance(named, str) else None
