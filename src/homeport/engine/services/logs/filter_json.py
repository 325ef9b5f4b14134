"""Filter patterns over JSON messages: `{ $.status = 5* && ($.user IS NULL || $.tags[0] != "x") }`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from homeport.engine.services.logs.filter_conditions import (
    MISSING,
    ConditionParser,
    InvalidFilterPattern,
    Missing,
    Test,
    comparison,
    tokens,
)

_STEP = re.compile(r"\.?\[(\d+|\*)\]|\.?\['([^']+)'\]|\.([\w-]+|\*)")

Path = list[str | int]


def json_pattern(condition: str) -> Callable[[str], dict[str, str] | None]:
    """The compiled condition; it extracts the values of the selectors that it names."""
    selectors: dict[str, Path] = {}

    def term(parser: ConditionParser) -> Test:
        token = parser.take()
        path = selectors.setdefault(token.text, selector(token.text))
        test = _test(parser)
        return lambda document: any(test(value) for value in _values(document, path))

    test = ConditionParser(tokens(condition), term).parse()

    def matches(message: str) -> dict[str, str] | None:
        try:
            document = json.loads(message)
        except ValueError:
            return None
        if not isinstance(document, (dict, list)) or not test(document):
            return None
        return {
            text: value if isinstance(value, str) else json.dumps(value)
            for text, path in selectors.items()
            if not isinstance(value := next(_values(document, path)), Missing)
        }

    return matches


def selector(text: str) -> Path:
    """The steps of `$.a.b[0]['c.d']`. Raises InvalidFilterPattern."""
    if not text.startswith("$") or len(text) < 2:
        raise InvalidFilterPattern(f"'{text}' is not a property selector: it starts with $.")
    path: Path = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise InvalidFilterPattern(f"'{text}' is not a property selector")
        index, quoted, name = match.groups()
        path.append(int(index) if index and index != "*" else quoted or name or "*")
        position = match.end()
    return path


def _test(parser: ConditionParser) -> Test:
    if parser.accept("IS"):
        if parser.accept("NOT"):
            raise InvalidFilterPattern("IS is followed by TRUE, FALSE or NULL")
        wanted = {"TRUE": True, "FALSE": False, "NULL": None}
        token = parser.take()
        if token.text not in wanted:
            raise InvalidFilterPattern("IS is followed by TRUE, FALSE or NULL")
        return lambda value: value is wanted[token.text]
    if parser.accept("NOT"):
        if not parser.accept("EXISTS"):
            raise InvalidFilterPattern("NOT is followed by EXISTS")
        return lambda value: isinstance(value, Missing)
    if parser.accept("EXISTS"):
        return lambda value: not isinstance(value, Missing)
    return comparison(parser.take().text, parser.take())


def _values(value: Any, path: Path) -> Iterator[Any]:
    """What the path leads to: one value, `MISSING`, or several when it has a `*`."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == "*":
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        if not items:
            yield MISSING
        for item in items:
            yield from _values(item, rest)
    elif isinstance(step, int):
        yield from _values(value[step], rest) if isinstance(value, list) and step < len(value) else [MISSING]
    else:
        yield from _values(value[step], rest) if isinstance(value, dict) and step in value else [MISSING]
