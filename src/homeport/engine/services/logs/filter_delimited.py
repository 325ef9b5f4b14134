"""Filter patterns over space-delimited messages: `[ip, user, ..., status = 4* || status = 5*, bytes > 1000]`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from homeport.engine.services.logs.filter_conditions import (
    ConditionParser,
    InvalidFilterPattern,
    Test,
    comparison,
    tokens,
)

_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')


class Field(NamedTuple):
    name: str
    test: Test | None


def delimited_pattern(pattern: str) -> Callable[[str], dict[str, str] | None]:
    """The compiled fields; it extracts their values, as `$name` or `$1`, `$2`, … for those without a name."""
    parts = [part.strip() for part in _COMMA.split(pattern)]
    if parts.count("...") > 1:
        raise InvalidFilterPattern("A filter pattern has one ellipsis at most")
    dots = parts.index("...") if "..." in parts else None
    fields = [_field(part) for part in parts if part != "..."]

    def matches(message: str) -> dict[str, str] | None:
        values = [_value(match) for match in _FIELD.finditer(message)]
        if (dots is None and len(values) != len(fields)) or len(values) < len(fields):
            return None
        if dots is not None:
            tail = len(fields) - dots
            values = values[:dots] + (values[-tail:] if tail else [])
        for field, value in zip(fields, values, strict=True):
            if field.test and not field.test(value):
                return None
        return {
            f"${field.name or number}": value
            for number, (field, value) in enumerate(zip(fields, values, strict=True), 1)
        }

    return matches


def _value(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _field(part: str) -> Field:
    """One field: a name, or a condition about one name."""
    found = tokens(part)
    if not found:
        return Field("", None)
    if len(found) == 1 and found[0].kind == "word":
        return Field(found[0].text, None)
    names: set[str] = set()

    def term(parser: ConditionParser) -> Test:
        name = parser.take()
        if name.kind != "word":
            raise InvalidFilterPattern(f"'{name.text}' is not the name of a field")
        names.add(name.text)
        test = comparison(parser.take().text, parser.take())
        return lambda value: test(value)

    test: Callable[[Any], bool] = ConditionParser(found, term).parse()
    if len(names) != 1:
        raise InvalidFilterPattern(f"The condition '{part}' is about more than one field")
    return Field(names.pop(), test)
