"""The Condition element: every operator, its set qualifiers and IfExists.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from homeport.engine.services.iam.patterns import (
    Pattern,
    RequestContext,
    Values,
    any_of,
    arn_pattern,
    text_pattern,
)

_Test = Pattern
"""What tells whether a request's value is one of a condition's."""


class InvalidCondition(Exception):
    """A Condition element that says nothing AWS understands; the message is AWS's."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key, with the values of the policy."""

    operator: str
    key: str
    values: Values
    qualifier: str
    if_exists: bool
    negated: bool
    test: _Test

    def holds(self, context: RequestContext) -> bool:
        """Whether the request's context satisfies this condition."""
        actual = context.get(self.key)
        if self.operator == "Null":
            return any((value.lower() == "true") == (not actual) for value in self.values)
        if actual is None:
            if self.if_exists or self.qualifier == "ForAllValues":
                return True
            return self.negated and self.qualifier != "ForAnyValue"
        if self.negated and not self.test.resolves(context):
            return False
        found = (self.test.matches(value, context) for value in actual)
        if self.qualifier == "ForAllValues":
            return not any(found) if self.negated else all(found)
        if self.qualifier == "ForAnyValue":
            return not all(found) if self.negated else any(found)
        return not any(found) if self.negated else any(found)


def parse_conditions(element: Any) -> tuple[Condition, ...]:
    """The conditions of a statement; all of them must hold. Raises `InvalidCondition`."""
    return tuple(_conditions(element, variables=True))


def parse_conditions_without_variables(element: Any) -> tuple[Condition, ...]:
    """The same for policies of the version 2008-10-17, in which `${…}` is plain text."""
    return tuple(_conditions(element, variables=False))


def _conditions(element: Any, *, variables: bool) -> Iterator[Condition]:
    if not isinstance(element, dict):
        raise InvalidCondition("Syntax errors in policy.")
    for name, keys in element.items():
        qualifier, _, rest = name.rpartition(":")
        if_exists = rest.endswith("IfExists")
        operator = rest.removesuffix("IfExists")
        known = _OPERATORS.get(operator.lower())
        if known is None or qualifier not in ("", "ForAllValues", "ForAnyValue"):
            raise InvalidCondition(f"Invalid Condition type : {name}")
        if known.name == "Null" and (if_exists or qualifier):
            raise InvalidCondition(f"Invalid Condition type : {name}")
        if not isinstance(keys, dict):
            raise InvalidCondition("Syntax errors in policy.")
        for key, given in keys.items():
            values = tuple(_values(given))
            yield Condition(
                operator=known.name,
                key=key.lower(),
                values=values,
                qualifier=qualifier,
                if_exists=if_exists,
                negated=known.negated,
                test=known.test(values, variables),
            )


def _values(given: Any) -> Iterator[str]:
    for value in given if isinstance(given, list) else [given]:
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield str(value)
        else:
            raise InvalidCondition("Syntax errors in policy.")


@dataclass(frozen=True, slots=True)
class _Operator:
    name: str
    negated: bool
    test: Callable[[Values, bool], _Test]


def _strings(*, wildcards: bool, ignore_case: bool = False) -> Callable[[Values, bool], _Test]:
    def test(values: Values, variables: bool) -> _Test:
        return _one_of(
            text_pattern(value, wildcards=wildcards, variables=variables, ignore_case=ignore_case)
            for value in values
        )

    return test


def _arns(values: Values, variables: bool) -> _Test:
    return _one_of(arn_pattern(value, variables=variables) for value in values)


def _one_of(patterns: Iterator[Pattern]) -> _Test:
    return any_of(patterns)


def _compared(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool], complaint: str | None = None
) -> Callable[[Values, bool], _Test]:
    """Values that are read (numbers, dates, networks) and then compared; what cannot be read never matches."""

    def test(values: Values, variables: bool) -> _Test:
        expected = [read(value) for value in values]
        if complaint and None in expected:
            raise InvalidCondition(complaint)
        wanted = [value for value in expected if value is not None]

        return _Comparison(read, compare, wanted)

    return test


@dataclass(frozen=True, slots=True)
class _Comparison:
    read: Callable[[str], Any]
    compare: Callable[[Any, Any], bool]
    wanted: list[Any]

    def matches(self, text: str, context: RequestContext) -> bool:
        actual = self.read(text)
        return actual is not None and any(self.compare(actual, value) for value in self.wanted)

    def resolves(self, context: RequestContext) -> bool:
        return True


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.IGNORECASE,
)


def _date(text: str) -> float | None:
    """Epoch seconds of a date in the W3C's profile of ISO 8601, or of a number of seconds."""
    found = _DATE.fullmatch(text)
    try:
        if not found or (text.isdigit() and len(text) > 4):
            number = _number(text)
            return None if number is None else float(number)
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    offset = 0.0
    if zone and zone.upper() != "Z":
        digits = zone[1:].replace(":", "")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * (60 if zone[0] == "+" else -60)
    return moment.timestamp() + float(fraction or 0) - offset


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _inside(actual: Any, network: Any) -> bool:
    return actual.version == network.version and actual.subnet_of(network)


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def _never(values: Values, variables: bool) -> _Test:
    return any_of(())


def _equal(a: Any, b: Any) -> bool:
    return a == b


def _less(a: Any, b: Any) -> bool:
    return a < b


def _at_most(a: Any, b: Any) -> bool:
    return a <= b


def _greater(a: Any, b: Any) -> bool:
    return a > b


def _at_least(a: Any, b: Any) -> bool:
    return a >= b


_BAD_DATE = "The policy failed legacy parsing"
_BAD_NETWORK = "The policy failed legacy parsing"

_OPERATORS: dict[str, _Operator] = {
    operator.name.lower(): operator
    for operator in (
        _Operator("StringEquals", False, _strings(wildcards=False)),
        _Operator("StringNotEquals", True, _strings(wildcards=False)),
        _Operator("StringEqualsIgnoreCase", False, _strings(wildcards=False, ignore_case=True)),
        _Operator("StringNotEqualsIgnoreCase", True, _strings(wildcards=False, ignore_case=True)),
        _Operator("StringLike", False, _strings(wildcards=True)),
        _Operator("StringNotLike", True, _strings(wildcards=True)),
        _Operator("NumericEquals", False, _compared(_number, _equal)),
        _Operator("NumericNotEquals", True, _compared(_number, _equal)),
        _Operator("NumericLessThan", False, _compared(_number, _less)),
        _Operator("NumericLessThanEquals", False, _compared(_number, _at_most)),
        _Operator("NumericGreaterThan", False, _compared(_number, _greater)),
        _Operator("NumericGreaterThanEquals", False, _compared(_number, _at_least)),
        _Operator("DateEquals", False, _compared(_date, _equal, _BAD_DATE)),
        _Operator("DateNotEquals", True, _compared(_date, _equal, _BAD_DATE)),
        _Operator("DateLessThan", False, _compared(_date, _less, _BAD_DATE)),
        _Operator("DateLessThanEquals", False, _compared(_date, _at_most, _BAD_DATE)),
        _Operator("DateGreaterThan", False, _compared(_date, _greater, _BAD_DATE)),
        _Operator("DateGreaterThanEquals", False, _compared(_date, _at_least, _BAD_DATE)),
        _Operator("Bool", False, _compared(_boolean, _equal)),
        _Operator("BinaryEquals", False, _compared(_bytes, _equal)),
        _Operator("IpAddress", False, _compared(_network, _inside, _BAD_NETWORK)),
        _Operator("NotIpAddress", True, _compared(_network, _inside, _BAD_NETWORK)),
        _Operator("ArnEquals", False, _arns),
        _Operator("ArnNotEquals", True, _arns),
        _Operator("ArnLike", False, _arns),
        _Operator("ArnNotLike", True, _arns),
        _Operator("Null", False, _never),
    )
}
