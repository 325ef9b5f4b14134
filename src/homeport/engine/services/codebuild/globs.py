"""The file patterns of artifacts, reports and caches.

`*` stays within a folder, `**` crosses folders, `?` is one character.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files
"""

from __future__ import annotations

import re
from functools import cache


def matches(pattern: str, path: str) -> bool:
    """Whether a path, relative to the base directory, is meant by the pattern."""
    return _compiled(pattern).fullmatch(path) is not None


def root(patterns: tuple[str, ...]) -> str:
    """The deepest folder or file below which everything lies that the patterns mean; "" for the base itself."""
    common: list[str] | None = None
    for pattern in patterns:
        parts = plain(pattern).split("/")
        fixed = []
        for part in parts:
            if any(char in part for char in "*?["):
                break
            fixed.append(part)
        common = fixed if common is None else _shared(common, fixed)
    return "/".join(common or [])


def _shared(one: list[str], other: list[str]) -> list[str]:
    shared = []
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared.append(left)
    return shared


def plain(pattern: str) -> str:
    """The pattern without what means nothing: `./` before it, `/` behind it."""
    while pattern.startswith("./"):
        pattern = pattern[2:]
    return pattern.rstrip("/") if pattern != "/" else pattern


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    pattern, expression, i = plain(pattern), "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            expression += "(?:.*/)?"
            i += 3
        elif pattern.startswith("**", i):
            expression += ".*"
            i += 2
        else:
            expression += {"*": "[^/]*", "?": "[^/]"}.get(pattern[i]) or re.escape(pattern[i])
            i += 1
    return re.compile(expression, re.DOTALL)
