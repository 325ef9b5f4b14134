"""Conditions of JSON and space-delimited filter patterns: tokens, `&&` and `||`, and the tests of one value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

Test = Callable[[Any], bool]
Get = Callable[[Any], Any]


class InvalidFilterPattern(ValueError):
    """The filter pattern cannot be read; the text says why."""


class Missing:
    """Stands for the value of a selector that finds nothing."""


MISSING = Missing()

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>&&|\|\||!=|<=|>=|=|<|>|\(|\))
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | %(?P<regex>(?:[^%\\]|\\.)+)%
    | (?P<word>[^\s()=!<>&|"]+)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_REGEX = re.compile(r"[A-Za-z0-9_#=@/;,\-:\s^$?\[\]{}|\\*+.]+")


class Token(NamedTuple):
    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """The tokens of a condition."""
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidFilterPattern(f"Invalid character(s) in term '{text[position:].strip()}'")
        kind = str(match.lastgroup)
        value = match[kind]
        found.append(Token(kind, re.sub(r"\\(.)", r"\1", value) if kind == "quoted" else value))
        position = match.end()
    return found


class ConditionParser:
    """Reads `a || b && (c)`; `term` reads one comparison from the parser's tokens."""

    def __init__(self, found: list[Token], term: Callable[[ConditionParser], Test]) -> None:
        self._tokens = found
        self._term = term

    def parse(self) -> Test:
        """The whole condition. Raises InvalidFilterPattern."""
        test = self._either()
        if self._tokens:
            raise InvalidFilterPattern(f"Invalid character(s) in term '{self._tokens[0].text}'")
        return test

    def peek(self) -> Token:
        return self._tokens[0] if self._tokens else Token("end", "the end")

    def take(self) -> Token:
        if not self._tokens:
            raise InvalidFilterPattern("The filter pattern ends too early")
        return self._tokens.pop(0)

    def accept(self, text: str) -> bool:
        """Take the next token if it is this operator or (in capitals) this word."""
        token = self.peek()
        if token.kind in ("operator", "word") and token.text == text:
            self._tokens.pop(0)
            return True
        return False

    def _either(self) -> Test:
        tests = [self._both()]
        while self.accept("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self.accept("&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _single(self) -> Test:
        if not self.accept("("):
            return self._term(self)
        test = self._either()
        if not self.accept(")"):
            raise InvalidFilterPattern("A parenthesis is not closed")
        return test


def comparison(operator: str, operand: Token) -> Test:
    """The test of one value against the right side of a comparison."""
    if operator in ("<", ">", "<=", ">="):
        if operand.kind != "word" or not _NUMBER.fullmatch(operand.text):
            raise InvalidFilterPattern(f"'{operand.text}' is not a number")
        return _order(operator, float(operand.text))
    if operator not in ("=", "!="):
        raise InvalidFilterPattern(f"'{operator}' is not a comparison operator")
    equal = _equality(operand)
    if operator == "=":
        return equal
    return lambda value: not isinstance(value, (Missing, dict, list)) and not equal(value)


def _order(operator: str, bound: float) -> Test:
    orders: dict[str, Callable[[float], bool]] = {
        "<": lambda number: number < bound,
        ">": lambda number: number > bound,
        "<=": lambda number: number <= bound,
        ">=": lambda number: number >= bound,
    }
    order = orders[operator]

    def test(value: Any) -> bool:
        number = _as_number(value)
        return number is not None and order(number)

    return test


def _equality(operand: Token) -> Test:
    if operand.kind == "regex":
        expression = regex(operand.text)
        return lambda value: isinstance(value, str) and expression.search(value) is not None
    if operand.kind == "word" and _NUMBER.fullmatch(operand.text):
        wanted = float(operand.text)
        return lambda value: value == operand.text or _as_number(value) == wanted
    if operand.kind not in ("word", "quoted"):
        raise InvalidFilterPattern(f"'{operand.text}' is not a value")
    if "*" in operand.text:
        wild = re.compile(".*".join(map(re.escape, operand.text.split("*"))), re.DOTALL)
        return lambda value: (text := _as_text(value)) is not None and wild.fullmatch(text) is not None
    return lambda value: _as_text(value) == operand.text


def regex(text: str) -> re.Pattern[str]:
    """A regular expression of the subset that filter patterns allow."""
    if not _REGEX.fullmatch(text):
        raise InvalidFilterPattern(f"The regex %{text}% has characters that are not supported")
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise InvalidFilterPattern(f"The regex %{text}% is not valid: {error}") from None


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _as_text(value: Any) -> str | None:
    """A scalar as JSON writes it, without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return None
