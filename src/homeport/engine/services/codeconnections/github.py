"""GitHub's webhooks: what their payloads say.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homeport.engine.services.codeconnections.changes import Change, PullRequest, Push

_ACTIONS = {"opened": "OPEN", "reopened": "OPEN", "synchronize": "UPDATED", "closed": "CLOSED"}


def change(event: str, payload: Mapping[str, Any]) -> Change | None:
    """What the payload of an event (`X-GitHub-Event`) tells; None for what starts no pipeline, such as a ping or
    a deleted branch. Raises KeyError, TypeError or ValueError for a payload that is not one."""
    if event == "push":
        return _push(payload)
    if event == "pull_request":
        return _pull_request(payload)
    return None


def _push(payload: Mapping[str, Any]) -> Change | None:
    if payload.get("deleted"):
        return None
    reference, repository = str(payload["ref"]), str(payload["repository"]["full_name"])
    head = payload.get("head_commit") or {}
    commit, before = str(head.get("id") or payload["after"]), str(payload.get("before", ""))
    message = str(head.get("message", ""))
    if reference.startswith("refs/tags/"):
        event = Push(tag=reference.removeprefix("refs/tags/"))
        return Change(repository, event, commit, reference, before, True, message)
    commits = payload.get("commits") or []
    paths = {
        str(path)
        for one in commits
        for kind in ("added", "modified", "removed")
        for path in one.get(kind) or ()
    }
    # A payload tells of 2048 commits at most, and of none after some force pushes.
    known = 0 < len(commits) < 2048 and not payload.get("forced") and not payload.get("created")
    event = Push(branch=reference.removeprefix("refs/heads/"), paths=tuple(sorted(paths)))
    return Change(repository, event, commit, reference, before, known, message)


def _pull_request(payload: Mapping[str, Any]) -> Change | None:
    kind = _ACTIONS.get(str(payload["action"]))
    if kind is None:
        return None
    request = payload["pull_request"]
    return Change(
        repository=str(payload["repository"]["full_name"]),
        event=PullRequest(kind, str(request["base"]["ref"])),  # type: ignore[arg-type]
        commit=str(request["head"]["sha"]),
        reference=f"refs/pull/{int(payload['number'])}/head",
        before=str(request["base"]["sha"]),
        paths_known=False,
        message=str(request.get("title", "")),
    )
