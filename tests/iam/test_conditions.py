"""Condition operators, after AWS's documentation of each."""

from __future__ import annotations

import pytest

from homeport.engine.services.iam.conditions import InvalidCondition, parse_conditions


def holds(condition: dict, **context: object) -> bool:
    given = {
        key.replace("__", ":").lower(): value if isinstance(value, tuple) else (str(value),)
        for key, value in context.items()
    }
    return all(one.holds(given) for one in parse_conditions(condition))


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringEqualsIgnoreCase", "aB", "Ab", True),
        ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringLike", "a*c?", "abbc", False),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", 10, "9", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "abc", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateLessThan", "2026-01-01T00:00:00Z", "1767225599", True),
        ("DateGreaterThan", "2026-01-01", "2026-01-01T00:00:01Z", True),
        ("DateEquals", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateLessThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", False),
        ("Bool", "true", "TRUE", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ4", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", ["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "203.0.113.5", "203.0.113.6", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
        ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
        ("ArnEquals", "arn:aws:sns:*:123456789012:t*", "arn:aws:sns:eu-west-1:123456789012:topic", True),
        ("ArnLike", "arn:aws:sns:*:123456789012:t*", "arn:aws:sqs:eu-west-1:123456789012:topic", False),
        ("ArnLike", "arn:aws:s3:::a*", "arn:aws:s3:::a/b:c", True),
        ("ArnLike", "arn:aws:sns:*:topic", "arn:aws:sns:us-east-1:123456789012:topic", False),
        ("ArnNotLike", "arn:aws:sns:*:*:t", "arn:aws:sns:us-east-1:123456789012:t", False),
        ("ArnNotEquals", "arn:aws:sns:*:*:t", "arn:aws:sns:us-east-1:123456789012:u", True),
    ],
)
def test_operator(operator: str, wanted: object, actual: str, expected: bool) -> None:
    assert holds({operator: {"aws:key": wanted}}, aws__key=actual) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("StringEquals", "a", False),
        ("StringNotEquals", "a", True),
        ("StringEqualsIfExists", "a", True),
        ("NotIpAddress", "10.0.0.0/8", True),
        ("ForAllValues:StringEquals", "a", True),
        ("ForAnyValue:StringEquals", "a", False),
        ("ForAnyValue:StringNotEquals", "a", False),
        ("ForAnyValue:StringEqualsIfExists", "a", True),
        ("Null", "true", True),
        ("Null", "false", False),
    ],
)
def test_operator_on_a_key_that_is_missing(operator: str, wanted: str, expected: bool) -> None:
    assert holds({operator: {"aws:key": wanted}}) is expected


@pytest.mark.parametrize(
    ("operator", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "x"), False),
        ("ForAllValues:StringEquals", (), True),
        ("ForAnyValue:StringEquals", ("x", "b"), True),
        ("ForAnyValue:StringEquals", ("x", "y"), False),
        ("ForAllValues:StringNotEquals", ("x", "y"), True),
        ("ForAllValues:StringNotEquals", ("x", "a"), False),
        ("ForAnyValue:StringNotEquals", ("a", "x"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
    ],
)
def test_set_qualifier(operator: str, actual: tuple[str, ...], expected: bool) -> None:
    assert holds({operator: {"aws:TagKeys": ["a", "b"]}}, aws__tagkeys=actual) is expected


def test_all_operators_and_keys_must_hold() -> None:
    both = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}

    assert holds(both, aws__a="1", aws__b="2", aws__c="true")
    assert not holds(both, aws__a="1", aws__b="3", aws__c="true")
    assert not holds(both, aws__a="1", aws__b="2", aws__c="false")


def test_policy_variables_take_their_values_from_the_context() -> None:
    home = {"StringLike": {"s3:prefix": ["${aws:username}/*", "shared"]}}

    assert holds(home, s3__prefix="ann/x", aws__username="ann")
    assert not holds(home, s3__prefix="bob/x", aws__username="ann")
    assert not holds(home, s3__prefix="/x")
    assert holds(home, s3__prefix="shared")


def test_a_variables_value_is_never_a_wildcard() -> None:
    assert not holds(
        {"StringLike": {"s3:prefix": "${aws:username}"}}, s3__prefix="anything", aws__username="*"
    )


def test_variables_have_defaults_and_special_characters() -> None:
    default = {"StringEquals": {"aws:key": "${aws:PrincipalTag/team, 'company-wide'}"}}

    assert holds(default, aws__key="company-wide")
    assert holds(default, **{"aws__key": "red", "aws__principaltag/team": "red"})
    assert holds({"StringLike": {"aws:key": "${*}${?}${$}*"}}, aws__key="*?$x")
    assert not holds({"StringLike": {"aws:key": "${*}"}}, aws__key="x")


@pytest.mark.parametrize(
    "condition",
    [
        {"StringSounds": {"a": "b"}},
        {"ForSome:StringEquals": {"a": "b"}},
        {"NullIfExists": {"a": "true"}},
        {"DateLessThan": {"aws:CurrentTime": "yesterday"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}},
        {"StringEquals": "b"},
        {"StringEquals": {"a": {"b": "c"}}},
    ],
)
def test_a_condition_that_is_none_is_refused(condition: dict) -> None:
    with pytest.raises(InvalidCondition):
        parse_conditions(condition)
