"""Which events of a git server start a build: filter groups, and GitHub's payloads as events.

https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """`name` is AWS's word (`PUSH`, `PULL_REQUEST_CREATED`, `RELEASED`, …); `version` is what a build of it builds."""

    name: str
    version: str
    head_ref: str = ""
    base_ref: str = ""
    actor: str = ""
    message: str = ""
    paths: tuple[str, ...] = ()
    tag: str = ""
    release: str = ""
    repository: str = ""
    previous: str = ""
    number: int = 0
    commit: str = ""
    """Of a pull request: its number and its newest commit."""


_PULL_REQUESTS = {
    "opened": "PULL_REQUEST_CREATED",
    "synchronize": "PULL_REQUEST_UPDATED",
    "reopened": "PULL_REQUEST_REOPENED",
}
_NULL = "0" * 40


def from_github(kind: str, payload: Mapping[str, Any]) -> Event | None:
    """The event of a GitHub webhook call; None for one that starts nothing, such as a deleted branch."""
    actor = str(payload.get("sender", {}).get("id", ""))
    repository = payload.get("repository", {}).get("name", "")
    if kind == "push" and payload.get("after") != _NULL:
        commits = payload.get("commits", [])
        paths = [
            path
            for each in commits
            for part in ("added", "modified", "removed")
            for path in each.get(part, [])
        ]
        return Event(
            "PUSH",
            payload["after"],
            head_ref=payload["ref"],
            actor=actor,
            message=(payload.get("head_commit") or {}).get("message", ""),
            paths=tuple(dict.fromkeys(paths)),
            repository=repository,
            previous=payload.get("before", "").replace(_NULL, ""),
        )
    if kind == "pull_request" and (name := _pull_request(payload)):
        request = payload["pull_request"]
        return Event(
            name,
            f"pr/{request['number']}" if name != "PULL_REQUEST_MERGED" else request["merge_commit_sha"],
            head_ref=f"refs/heads/{request['head']['ref']}",
            base_ref=f"refs/heads/{request['base']['ref']}",
            actor=actor,
            repository=repository,
            number=request["number"],
            commit=request["head"].get("sha", ""),
        )
    if kind == "release" and payload.get("action") in ("released", "prereleased"):
        release = payload["release"]
        return Event(
            str(payload["action"]).upper(),
            f"refs/tags/{release['tag_name']}",
            head_ref=f"refs/tags/{release['tag_name']}",
            actor=actor,
            tag=release["tag_name"],
            release=release.get("name") or "",
            repository=repository,
        )
    return None


def _pull_request(payload: Mapping[str, Any]) -> str:
    action = payload.get("action", "")
    if action == "closed":
        return "PULL_REQUEST_MERGED" if payload["pull_request"].get("merged") else "PULL_REQUEST_CLOSED"
    return _PULL_REQUESTS.get(action, "")


def asks_for_more(groups: Iterable[Iterable[Mapping[str, Any]]]) -> bool:
    """Whether the filters look at what the payload of a pull request does not tell."""
    return any(each["type"] in ("FILE_PATH", "COMMIT_MESSAGE") for group in groups for each in group)


def starts(groups: Iterable[Iterable[Mapping[str, Any]]], branch: str, event: Event) -> bool:
    """Whether the event starts a build: one group must match whole; without groups the old `branchFilter` decides,
    for pushes, and for pull requests that are opened or changed."""
    groups = [list(group) for group in groups]
    if groups:
        return any(all(_matches(each, event) for each in group) for group in groups)
    if event.name not in ("PUSH", "PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED"):
        return False
    return not branch or re.search(branch, event.head_ref.removeprefix("refs/heads/")) is not None


def _matches(wanted: Mapping[str, Any], event: Event) -> bool:
    pattern, kind = wanted["pattern"], wanted["type"]
    if kind == "EVENT":
        return event.name in [word.strip() for word in pattern.split(",")]
    values = {
        "HEAD_REF": [event.head_ref],
        "BASE_REF": [event.base_ref],
        "ACTOR_ACCOUNT_ID": [event.actor],
        "COMMIT_MESSAGE": [event.message],
        "FILE_PATH": event.paths,
        "TAG_NAME": [event.tag],
        "RELEASE_NAME": [event.release],
        "REPOSITORY_NAME": [event.repository],
    }.get(kind, [])
    found = any(re.search(pattern, value) for value in values)
    return found != bool(wanted.get("excludeMatchedPattern"))
