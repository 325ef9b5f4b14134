"""The rules of composite alarms: `ALARM("a") AND (NOT OK(b) OR INSUFFICIENT_DATA(c))`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\))(?![A-Za-z0-9_])|"
    r"(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|'(?P<single>[^']+)'|(?P<bare>[^\s()]+))\s*\)|"
    r"(?P<paren>[()]))"
)

StateOf = Callable[[str], str]
Rule = Callable[[StateOf], bool]


class InvalidRule(ValueError):
    """The text is no alarm rule."""


def parse_rule(text: str) -> tuple[Rule, list[str]]:
    """The rule, and the names of the alarms that it looks at. Raises InvalidRule."""
    tokens: list[tuple[str, str]] = []
    position, text = 0, text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidRule(f"unexpected text at character {position + 1}")
        if match["state"]:
            name = match["quoted"] or match["single"] or match["bare"]
            tokens.append((match["state"], name.rpartition(":alarm:")[2]))
        else:
            tokens.append((match["word"] or match["paren"], ""))
        position = match.end()
    names = [name for _, name in tokens if name]
    rule = _either(tokens)
    if tokens:
        raise InvalidRule(f"unexpected '{tokens[0][0]}'")
    return rule, names


def _either(tokens: list[tuple[str, str]]) -> Rule:
    rules = [_both(tokens)]
    while tokens and tokens[0][0] == "OR":
        tokens.pop(0)
        rules.append(_both(tokens))
    return lambda state: any(rule(state) for rule in rules)


def _both(tokens: list[tuple[str, str]]) -> Rule:
    rules = [_single(tokens)]
    while tokens and tokens[0][0] == "AND":
        tokens.pop(0)
        rules.append(_single(tokens))
    return lambda state: all(rule(state) for rule in rules)


def _single(tokens: list[tuple[str, str]]) -> Rule:
    if not tokens:
        raise InvalidRule("the rule ends too early")
    kind, name = tokens.pop(0)
    if kind == "NOT":
        negated = _single(tokens)
        return lambda state: not negated(state)
    if kind == "(":
        rule = _either(tokens)
        if not tokens or tokens.pop(0)[0] != ")":
            raise InvalidRule("a parenthesis is not closed")
        return rule
    if kind in ("TRUE", "FALSE"):
        return lambda state: kind == "TRUE"
    if not name:
        raise InvalidRule(f"unexpected '{kind}'")
    return lambda state: state(name) == kind
