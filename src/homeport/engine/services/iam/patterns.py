"""Wildcards, ARNs and policy variables: what one string of a policy matches.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

Values = tuple[str, ...]
RequestContext = Mapping[str, Values]
"""Condition keys of a request, in lower case, and their values."""


class Pattern(Protocol):
    """One string of a policy."""

    def matches(self, text: str, context: RequestContext) -> bool:
        """Whether the text of a request is what this string of a policy means in this context."""
        ...

    def resolves(self, context: RequestContext) -> bool:
        """Whether all its variables have a value. Where one has none AWS takes no notice of the statement, which
        matters where the pattern is negated: NotResource, StringNotEquals."""
        ...


def text_pattern(
    source: str, *, wildcards: bool, variables: bool = True, ignore_case: bool = False
) -> Pattern:
    """A string: `*` and `?` stand for anything when `wildcards`, `${key}` for a value of the context."""
    return _pattern(source, _text_expression if wildcards else _literal_expression, variables, ignore_case)


def arn_pattern(source: str, *, variables: bool = True) -> Pattern:
    """An ARN: each of its six parts is matched on its own; parts that are left out match anything."""
    return _pattern(source, _arn_expression, variables, False)


def any_of(patterns: Iterable[Pattern]) -> Pattern:
    """What matches if one of the patterns does; those without variables become one expression."""
    fixed: list[str] = []
    flags = re.DOTALL
    rest: list[Pattern] = []
    for pattern in patterns:
        if isinstance(pattern, _Anything):
            return pattern
        if isinstance(pattern, _Fixed):
            fixed.append(pattern.expression.pattern)
            flags |= pattern.expression.flags & re.IGNORECASE
        else:
            rest.append(pattern)
    if fixed:
        rest.insert(0, _Fixed(re.compile("|".join(f"(?:{one})" for one in fixed), flags)))
    return rest[0] if len(rest) == 1 else _Any(tuple(rest))


class _Anything:
    def matches(self, text: str, context: RequestContext) -> bool:
        return True

    def resolves(self, context: RequestContext) -> bool:
        return True


class _Fixed:
    def __init__(self, expression: re.Pattern[str]) -> None:
        self.expression = expression

    def matches(self, text: str, context: RequestContext) -> bool:
        return self.expression.fullmatch(text) is not None

    def resolves(self, context: RequestContext) -> bool:
        return True


class _Variable:
    """A pattern that is known only when the context is."""

    def __init__(self, tokens: Sequence[_Token], expression: _Expression, flags: int) -> None:
        self.tokens = tokens
        self.expression = expression
        self.flags = flags

    def matches(self, text: str, context: RequestContext) -> bool:
        resolved: list[_Token] = []
        for kind, value, default in self.tokens:
            if kind == "variable":
                values = context.get(value, ())
                found = values[0] if len(values) == 1 else default
                if found is None:
                    return False
                resolved.append(("value", found, None))
            else:
                resolved.append((kind, value, default))
        return re.fullmatch(self.expression(resolved), text, self.flags) is not None

    def resolves(self, context: RequestContext) -> bool:
        return all(
            kind != "variable" or default is not None or len(context.get(value, ())) == 1
            for kind, value, default in self.tokens
        )


class _Any:
    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self.patterns = patterns

    def matches(self, text: str, context: RequestContext) -> bool:
        return any(pattern.matches(text, context) for pattern in self.patterns)

    def resolves(self, context: RequestContext) -> bool:
        return all(pattern.resolves(context) for pattern in self.patterns)


_Token = tuple[str, str, str | None]  # literal | wildcard | variable | value, its text, a variable's default
_Expression = Callable[[Sequence[_Token]], str]
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}|([*?])")


def _pattern(source: str, expression: _Expression, variables: bool, ignore_case: bool) -> Pattern:
    if source == "*" and expression is not _literal_expression:
        return _Anything()
    tokens = list(_tokens(source, variables))
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    if any(kind == "variable" for kind, _, _ in tokens):
        return _Variable(tokens, expression, flags)
    return _Fixed(re.compile(expression(tokens), flags))


def _tokens(source: str, variables: bool) -> Iterable[_Token]:
    end = 0
    for found in _VARIABLE.finditer(source):
        name, default, wildcard = found.groups()
        if wildcard is None and not variables:
            continue
        if found.start() > end:
            yield "literal", source[end : found.start()], None
        end = found.end()
        if wildcard:
            yield "wildcard", wildcard, None
        elif name in ("*", "?", "$"):
            yield "value", name, None
        else:
            yield "variable", name.lower(), default
    if end < len(source):
        yield "literal", source[end:], None


def _literal_expression(tokens: Sequence[_Token]) -> str:
    return "".join(re.escape(text) for _, text, _ in tokens)


def _text_expression(tokens: Sequence[_Token]) -> str:
    return "".join(_part(token, ".") for token in tokens)


def _arn_expression(tokens: Sequence[_Token]) -> str:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        kind, text, _ = token
        if kind != "literal":
            parts[-1].append(token)
            continue
        pieces = text.split(":", 6 - len(parts))
        parts[-1].append(("literal", pieces[0], None))
        parts.extend([("literal", piece, None)] for piece in pieces[1:])
    expressions = [
        "".join(_part(token, "." if at == 5 else "[^:]") for token in part) for at, part in enumerate(parts)
    ]
    expressions += ["[^:]*"] * (5 - len(expressions)) + [".*"] * (len(expressions) < 6)
    return ":".join(expressions)


def _part(token: _Token, anything: str) -> str:
    kind, text, _ = token
    if kind != "wildcard":
        return re.escape(text)
    return f"{anything}*" if text == "*" else anything
