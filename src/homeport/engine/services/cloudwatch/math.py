"""Metric math: expressions over the values of metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

Series = dict[float, float]
"""Values by time."""

Value = Series | float

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<operator>==|!=|<=|>=|&&|\|\||[-+*/^(),<>\[\]]))"
)


class InvalidExpression(ValueError):
    """The expression cannot be evaluated; the text says why."""


class _Token(NamedTuple):
    kind: str
    text: str


def evaluate_expression(
    text: str, series: dict[str, Series], period: int, start: float, end: float
) -> Series:
    """The values of an expression whose names are the ids of `series`. Raises InvalidExpression."""
    value = _Evaluation(_tokens(text), series, period, start, end).whole()
    if isinstance(value, dict):
        return {time: each for time, each in value.items() if not math.isnan(each)}
    if math.isnan(value):
        return {}
    times = range(int(start // period * period), math.ceil(end), period)
    return {float(time): value for time in times}


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidExpression(f"unexpected character at position {position + 1}")
        found.append(_Token(str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


_BINARY: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
    "^": lambda a, b: a**b,
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
}
_WORDS = {"&&": "AND", "||": "OR"}
_LEVELS = (("OR",), ("AND",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"), ("^",))


class _Evaluation:
    """Reads an expression and evaluates it on the way."""

    def __init__(
        self, tokens: list[_Token], series: dict[str, Series], period: int, start: float, end: float
    ) -> None:
        self._tokens = tokens
        self._series = series
        self._period = period
        self._span = (start, end)

    def whole(self) -> Value:
        value = self._binary(0)
        if self._tokens:
            raise InvalidExpression(f"unexpected '{self._tokens[0].text}'")
        return _one(value)

    def _peek(self) -> str:
        text = self._tokens[0].text if self._tokens else ""
        return _WORDS.get(text, text)

    def _expect(self, text: str) -> None:
        if self._peek() != text:
            raise InvalidExpression(f"'{text}' was expected, but '{self._peek() or 'the end'}' was found")
        self._tokens.pop(0)

    def _binary(self, level: int) -> Any:
        if level == len(_LEVELS):
            return self._unary()
        value = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._peek()
            self._tokens.pop(0)
            value = _apply(_BINARY[operator], _one(value), _one(self._binary(level + 1)))
        return value

    def _unary(self) -> Any:
        if self._peek() == "-":
            self._tokens.pop(0)
            return _apply(_BINARY["*"], -1.0, _one(self._unary()))
        return self._primary()

    def _primary(self) -> Any:
        if not self._tokens:
            raise InvalidExpression("the expression ends too early")
        kind, text = self._tokens.pop(0)
        if kind == "number":
            return float(text)
        if text == "(":
            value = self._binary(0)
            self._expect(")")
            return value
        if text == "[":
            return self._arguments("]")
        if kind == "name" and self._peek() == "(":
            self._tokens.pop(0)
            return self._call(text)
        if kind == "name" and text in self._series:
            return self._series[text]
        if kind == "text" or text in ("REPEAT", "LINEAR"):
            return text.strip("\"'")
        raise InvalidExpression(f"'{text}' is not the id of a metric")

    def _arguments(self, end: str) -> list[Any]:
        found: list[Any] = []
        while self._peek() != end:
            found.append(self._binary(0))
            if self._peek() == ",":
                self._tokens.pop(0)
            elif self._peek() != end:
                self._expect(end)
        self._expect(end)
        return found

    def _call(self, name: str) -> Any:
        arguments = self._arguments(")")
        if name == "METRICS":
            prefix = arguments[0] if arguments else ""
            return [values for id, values in self._series.items() if id.startswith(prefix)]
        if name == "PERIOD":
            return float(self._period)
        if name == "FILL":
            return self._fill(arguments)
        if name == "IF":
            return _choose(arguments)
        if name in _FUNCTIONS and len(arguments) == 1:
            return _FUNCTIONS[name](arguments[0])
        raise InvalidExpression(f"homeport does not have the function {name} with {len(arguments)} arguments")

    def _fill(self, arguments: list[Any]) -> Any:
        if len(arguments) != 2:
            raise InvalidExpression("FILL takes a metric and a value")
        given, filler = arguments
        if isinstance(given, list):
            return [self._fill([each, filler]) for each in given]
        filled: Series = {}
        last = None
        start, end = self._span
        for time in range(int(start // self._period * self._period), math.ceil(end), self._period):
            value = given.get(float(time))
            if value is None:
                value = last if filler == "REPEAT" else filler if isinstance(filler, float) else None
            if value is not None:
                filled[float(time)] = last = value
        return filled


def _one(value: Any) -> Any:
    """A single series or number; a list of one is one."""
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, list | str):
        raise InvalidExpression("a list of metrics stands where one is expected")
    return value


def _apply(function: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    """Value by value, at the times that both have."""
    if isinstance(left, dict) or isinstance(right, dict):
        times = [set(each) for each in (left, right) if isinstance(each, dict)]
        found: Series = {}
        for time in sorted(set.intersection(*times)):
            a = left[time] if isinstance(left, dict) else left
            b = right[time] if isinstance(right, dict) else right
            if (value := function(a, b)) is not None:
                found[time] = value
        return found
    value = function(left, right)
    if value is None:
        raise InvalidExpression("a number is divided by zero")
    return value


def _choose(arguments: list[Any]) -> Value:
    if len(arguments) not in (2, 3):
        raise InvalidExpression("IF takes a condition, a value and perhaps another value")
    condition, *branches = (_one(each) for each in arguments)
    if not isinstance(condition, dict):
        return branches[0] if condition else branches[1] if len(branches) > 1 else {}
    found: Series = {}
    for time, holds in condition.items():
        branch = branches[0] if holds else branches[1] if len(branches) > 1 else None
        value = branch.get(time) if isinstance(branch, dict) else branch
        if value is not None:
            found[time] = value
    return found


def _gather(combine: Callable[[list[float]], float]) -> Callable[[Any], Any]:
    """Over a list: time by time. Over one metric: over all its values, to a number."""

    def function(given: Any) -> Any:
        if isinstance(given, list):
            every = [each for each in given if isinstance(each, dict)]
            times = sorted({time for each in every for time in each})
            return {time: combine([each[time] for each in every if time in each]) for time in times}
        return combine(list(given.values())) if isinstance(given, dict) and given else math.nan

    return function


def _each(change: Callable[[float], float]) -> Callable[[Any], Any]:
    def function(given: Any) -> Any:
        if isinstance(given, list):
            return [function(each) for each in given]
        return (
            {time: change(value) for time, value in given.items()}
            if isinstance(given, dict)
            else change(given)
        )

    return function


def _steps(combine: Callable[[float, float], float]) -> Callable[[Any], Any]:
    """From each value and the one before: `combine(change, seconds)`."""

    def function(given: Any) -> Series:
        items = sorted(_one(given).items())
        return {
            after[0]: combine(after[1] - before[1], after[0] - before[0]) for before, after in pairwise(items)
        }

    return function


def _running_sum(given: Any) -> Series:
    total, found = 0.0, {}
    for time, value in sorted(_one(given).items()):
        total += value
        found[time] = total
    return found


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "SUM": _gather(sum),
    "AVG": _gather(lambda values: sum(values) / len(values)),
    "MIN": _gather(min),
    "MAX": _gather(max),
    "DATAPOINT_COUNT": _gather(lambda values: float(len(values))),
    "ABS": _each(abs),
    "CEIL": _each(lambda value: float(math.ceil(value))),
    "FLOOR": _each(lambda value: float(math.floor(value))),
    "DIFF": _steps(lambda change, seconds: change),
    "RATE": _steps(lambda change, seconds: change / seconds),
    "RUNNING_SUM": _running_sum,
}
