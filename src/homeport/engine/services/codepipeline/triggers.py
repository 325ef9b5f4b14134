"""V2 triggers: which pushes, tags and pull requests start a pipeline.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from homeport.engine.services.codeconnections.changes import GitEvent, PullRequest, Push


def starts(git_configuration: Mapping[str, Any], event: GitEvent) -> bool:
    """Whether the `gitConfiguration` of one trigger lets the event start the pipeline: any of its filters
    must match, and of a filter every part."""
    if isinstance(event, PullRequest):
        return any(_pull_request_matches(one, event) for one in git_configuration.get("pullRequest", ()))
    return any(_push_matches(one, event) for one in git_configuration.get("push", ()))


def _push_matches(wanted: Mapping[str, Any], push: Push) -> bool:
    if push.tag is not None:
        return "tags" in wanted and matches(wanted["tags"], [push.tag])
    if "tags" in wanted:
        return False
    return matches(wanted.get("branches"), [push.branch or ""]) and matches(
        wanted.get("filePaths"), push.paths
    )


def _pull_request_matches(wanted: Mapping[str, Any], request: PullRequest) -> bool:
    if request.event not in wanted.get("events", ("OPEN", "UPDATED", "CLOSED")):
        return False
    return matches(wanted.get("branches"), [request.branch]) and matches(
        wanted.get("filePaths"), request.paths
    )


def matches(criteria: Mapping[str, Any] | None, names: Iterable[str]) -> bool:
    """Whether one of the names is included and not excluded. No criteria: always; excludes win; only
    excludes: everything else is included."""
    if not criteria:
        return True
    includes, excludes = criteria.get("includes") or ["**"], criteria.get("excludes") or []
    return any(
        any(glob(pattern, name) for pattern in includes)
        and not any(glob(pattern, name) for pattern in excludes)
        for name in names
    )


def glob(pattern: str, name: str) -> bool:
    """Whether the glob pattern matches the whole name: `*` stays within a path segment, `**` crosses them,
    `?` is one character, `[a-z]` and `[!a]` a class, `{a,b}` alternatives, `\\` takes the next literally."""
    return _compile(pattern).fullmatch(name) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    expression, depth, i = "", 0, 0
    while i < len(pattern):
        char, rest = pattern[i], pattern[i:]
        if rest.startswith("**/"):
            expression += "(?:.*/)?"
            i += 3
        elif rest.startswith("**"):
            expression += ".*"
            i += 2
        elif char == "[" and (end := pattern.find("]", i + 2)) > 0:
            expression += _character_class(pattern[i + 1 : end])
            i = end + 1
        elif char == "\\" and i + 1 < len(pattern):
            expression += re.escape(pattern[i + 1])
            i += 2
        else:
            if char == "{" and "}" in rest:
                expression, depth = expression + "(?:", depth + 1
            elif char == "}" and depth:
                expression, depth = expression + ")", depth - 1
            elif char == "," and depth:
                expression += "|"
            else:
                expression += {"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char)
            i += 1
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def _character_class(body: str) -> str:
    negated = body[:1] in ("!", "^")
    inner = (body[1:] if negated else body).replace("\\", "\\\\").replace("[", "\\[").replace("&", "\\&")
    inner = inner.replace("~", "\\~").replace("|", "\\|")
    if inner.startswith("^"):
        inner = "\\" + inner
    return f"(?!/)[{'^' if negated else ''}{inner}]"
