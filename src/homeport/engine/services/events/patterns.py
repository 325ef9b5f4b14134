"""EventBridge's event patterns: which events a rule wants.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Matcher = Callable[[Any], bool]
_LIMIT = 5e9


class InvalidPattern(ValueError):
    """The pattern is not one; the text is the reason that AWS gives."""


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """The pattern of this JSON text. Raises InvalidPattern."""
    try:
        tree = json.loads(text, object_pairs_hook=_no_duplicates)
    except json.JSONDecodeError as error:
        raise InvalidPattern(
            f"Event pattern is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}"
        ) from None
    if not isinstance(tree, dict):
        raise InvalidPattern("Filter is not an object")
    return Pattern(tree)


class Pattern:
    """A compiled pattern."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self._node = _Node(tree)

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether the event has what the pattern wants."""
        return self._node.matches(event)


class _Node:
    """An object of the pattern: all its fields match, and one alternative of each `$or`."""

    def __init__(self, tree: dict[str, Any]) -> None:
        if not tree:
            raise InvalidPattern("Empty objects are not allowed")
        self._fields: list[tuple[str, _Node | _Leaf]] = []
        self._alternatives: list[list[_Node]] = []
        for name, value in tree.items():
            if name == "$or" and _is_or(value):
                self._alternatives.append([_Node(alternative) for alternative in value])
            elif isinstance(value, dict):
                self._fields.append((name, _Node(value)))
            elif isinstance(value, list):
                self._fields.append((name, _Leaf(name, value)))
            else:
                raise InvalidPattern(f'"{name}" must be an object or an array')

    def matches(self, event: dict[str, Any]) -> bool:
        return all(self._field(event, name, wanted) for name, wanted in self._fields) and all(
            any(node.matches(event) for node in nodes) for nodes in self._alternatives
        )

    @staticmethod
    def _field(event: dict[str, Any], name: str, wanted: _Node | _Leaf) -> bool:
        values = list(_flatten(event[name])) if name in event else []
        if isinstance(wanted, _Leaf):
            return wanted.matches([value for value in values if not isinstance(value, dict)])
        objects = [value for value in values if isinstance(value, dict)]
        return any(wanted.matches(value) for value in objects or [{}])


class _Leaf:
    """The array of a field: one of its values and operators accepts one of the event's values."""

    def __init__(self, name: str, wanted: list[Any]) -> None:
        if not wanted:
            raise InvalidPattern("Empty arrays are not allowed")
        self._absent = {"exists": False} in wanted
        self._matchers = [_matcher(name, value) for value in wanted]

    def matches(self, values: list[Any]) -> bool:
        if not values:
            return self._absent
        return any(matcher(value) for value in values for matcher in self._matchers)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InvalidPattern(f"Path `{name}` cannot be allowed multiple times")
    return dict(pairs)


def _is_or(value: Any) -> bool:
    """`$or` with fewer than two objects, or with operators in them, is a field's name like any other."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(item, dict) and item and not set(item) & set(_OPERATORS) for item in value)
    )


def _flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flatten(item)
    else:
        yield value


def _matcher(name: str, wanted: Any) -> Matcher:
    if isinstance(wanted, dict):
        if len(wanted) != 1:
            raise InvalidPattern("Only one key allowed in match expression")
        ((operator, operand),) = wanted.items()
        if operator not in _OPERATORS:
            raise InvalidPattern(f"Unrecognized match type {operator}")
        return _OPERATORS[operator](operand)
    if isinstance(wanted, list):
        raise InvalidPattern(f'"{name}": Match value must be String, number, true, false, or null')
    return _equals(wanted)


def _equals(wanted: Any) -> Matcher:
    if _is_number(wanted):
        return lambda value: _is_number(value) and value == wanted
    return lambda value: type(value) is type(wanted) and value == wanted


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _affix(name: str, method: str) -> Callable[[Any], Matcher]:
    """`prefix` and `suffix`, with or without case."""

    def operator(operand: Any) -> Matcher:
        if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
            folded = _string(name, operand["equals-ignore-case"]).casefold()
            return lambda value: isinstance(value, str) and getattr(value.casefold(), method)(folded)
        text = _string(name, operand)
        return lambda value: isinstance(value, str) and getattr(value, method)(text)

    return operator


def _string(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return operand


def _ignore_case(operand: Any) -> Matcher:
    folded = _string("equals-ignore-case", operand).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == folded


def _wildcard(operand: Any) -> Matcher:
    """`*` stands for any characters; `\\*` and `\\\\` for themselves."""
    text, expression, position = _string("wildcard", operand), "", 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            following = text[position + 1 : position + 2]
            if following not in ("*", "\\"):
                raise InvalidPattern(f"Invalid escape character at pos {position}")
            expression += re.escape(following)
            position += 2
            continue
        if character == "*":
            if text[position + 1 : position + 2] == "*":
                raise InvalidPattern(f"Consecutive wildcard characters at pos {position}")
            expression += ".*"
        else:
            expression += re.escape(character)
        position += 1
    compiled = re.compile(expression, re.DOTALL)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _exists(operand: Any) -> Matcher:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: operand


def _cidr(operand: Any) -> Matcher:
    try:
        network = ipaddress.ip_network(_string("cidr", operand), strict=False)
    except ValueError:
        raise InvalidPattern(f"Malformed CIDR, one '/' required: {operand}") from None

    def matches(value: Any) -> bool:
        try:
            address = ipaddress.ip_address(value) if isinstance(value, str) else None
        except ValueError:
            return False
        return address is not None and address.version == network.version and address in network

    return matches


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _numeric(operand: Any) -> Matcher:
    if not isinstance(operand, list):
        raise InvalidPattern("Value of numeric must be an array.")
    if len(operand) not in (2, 4):
        raise InvalidPattern("Bad numeric range, expected an operator and a number, or two of each")
    tests = [_comparison(operand[i], operand[i + 1]) for i in range(0, len(operand), 2)]
    if len(operand) == 4:
        if operand[0] not in (">", ">=") or operand[2] not in ("<", "<="):
            raise InvalidPattern("Bad numeric range operator: expected a lower and an upper bound")
        if operand[1] >= operand[3]:
            raise InvalidPattern("Bottom must be less than top")
    return lambda value: _is_number(value) and all(test(value) for test in tests)


def _comparison(operator: Any, bound: Any) -> Matcher:
    if operator not in _COMPARISONS:
        raise InvalidPattern(f"Unrecognized numeric range operator: {operator}")
    if not _is_number(bound) or not -_LIMIT <= bound <= _LIMIT:
        raise InvalidPattern(f"Value must be between {-_LIMIT:.0f} and {_LIMIT:.0f}, inclusive")
    compare = _COMPARISONS[operator]
    return lambda value: compare(value, bound)


def _anything_but(operand: Any) -> Matcher:
    """One value or several of a kind, or an operator with one text or several: none of them accepts."""
    if isinstance(operand, dict):
        if len(operand) != 1 or not set(operand) <= set(_NEGATABLE):
            raise InvalidPattern(f"Unsupported anything-but pattern: {', '.join(operand)}")
        ((operator, texts),) = operand.items()
        refused = [_NEGATABLE[operator](text) for text in (texts if isinstance(texts, list) else [texts])]
    else:
        values = operand if isinstance(operand, list) else [operand]
        kinds = {"number" if _is_number(value) else type(value).__name__ for value in values}
        if len(kinds) > 1 or kinds & {"dict", "list", "NoneType"}:
            raise InvalidPattern(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
        refused = [_equals(value) for value in values]
    if not refused:
        raise InvalidPattern("Empty arrays are not allowed")
    return lambda value: not any(matcher(value) for matcher in refused)


_NEGATABLE: dict[str, Callable[[Any], Matcher]] = {
    "prefix": _affix("prefix", "startswith"),
    "suffix": _affix("suffix", "endswith"),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
}
_OPERATORS: dict[str, Callable[[Any], Matcher]] = {
    **_NEGATABLE,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
