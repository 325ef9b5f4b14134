"""Filter patterns of terms: `ERROR`, `"two words"`, `-exclude`, `?either ?or`, `%regex%`."""

from __future__ import annotations

import re
from collections.abc import Callable

from homeport.engine.services.logs.filter_conditions import InvalidFilterPattern, regex

_TERM = re.compile(
    r'(?P<sign>[-?]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"%]+))(?:\s+|$)'
)
_PLAIN = re.compile(r"[\w.*:/@#=-]+")

Contains = Callable[[str], bool]


def terms_pattern(pattern: str) -> Callable[[str], dict[str, str] | None]:
    """All plain terms are in the message, and no excluded one; when there are only `?` terms, one of them."""
    wanted: list[Contains] = []
    excluded: list[Contains] = []
    optional: list[Contains] = []
    kinds = {"": wanted, "-": excluded, "?": optional}
    position = 0
    while position < len(pattern):
        match = _TERM.match(pattern, position)
        if match is None:
            raise InvalidFilterPattern(f"Invalid character(s) in term '{pattern[position:]}'")
        kinds[match["sign"]].append(_contains(match))
        position = match.end()

    def matches(message: str) -> dict[str, str] | None:
        if optional and not wanted and not excluded:
            return {} if any(term(message) for term in optional) else None
        found = all(term(message) for term in wanted) and not any(term(message) for term in excluded)
        return {} if found else None

    return matches


def _contains(match: re.Match[str]) -> Contains:
    if match["regex"] is not None:
        expression = regex(match["regex"])
        return lambda message: expression.search(message) is not None
    if match["quoted"] is not None:
        text = re.sub(r"\\(.)", r"\1", match["quoted"])
    else:
        text = match["word"]
        if not _PLAIN.fullmatch(text):
            raise InvalidFilterPattern(f"Invalid character(s) in term '{text}'")
    return lambda message: text in message
