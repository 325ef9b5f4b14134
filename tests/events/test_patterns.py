"""Event patterns accept what EventBridge's documentation says that they accept."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.events.patterns import InvalidPattern, compile_pattern

EVENT = {
    "source": "aws.ecs",
    "detail-type": "ECS Task State Change",
    "resources": ["arn:aws:ecs:eu-west-1:1:task/a", "arn:aws:ecs:eu-west-1:1:service/b"],
    "detail": {
        "lastStatus": "STOPPED",
        "cpu": 256,
        "ratio": 0.5,
        "ip": "10.0.1.7",
        "ipv6": "2001:db8::1",
        "ok": True,
        "nothing": None,
        "empty": "",
        "containers": [{"name": "web", "exitCode": 1}, {"name": "log", "exitCode": 0}],
    },
}


def accepts(pattern: dict[str, Any], event: dict[str, Any] = EVENT) -> bool:
    return compile_pattern(json.dumps(pattern)).matches(event)


@pytest.mark.parametrize(
    "wanted",
    [
        {"lastStatus": ["PENDING", "STOPPED"]},
        {"lastStatus": [{"prefix": "STOP"}]},
        {"lastStatus": [{"prefix": {"equals-ignore-case": "stop"}}]},
        {"lastStatus": [{"suffix": "PED"}]},
        {"lastStatus": [{"suffix": {"equals-ignore-case": "ped"}}]},
        {"lastStatus": [{"equals-ignore-case": "stopped"}]},
        {"lastStatus": [{"wildcard": "S*P*D"}]},
        {"lastStatus": [{"anything-but": "RUNNING"}]},
        {"lastStatus": [{"anything-but": ["RUNNING", "PENDING"]}]},
        {"lastStatus": [{"anything-but": {"prefix": ["RUN", "PEN"]}}]},
        {"lastStatus": [{"anything-but": {"suffix": "ING"}}]},
        {"lastStatus": [{"anything-but": {"equals-ignore-case": ["running"]}}]},
        {"lastStatus": [{"anything-but": {"wildcard": "*N*"}}]},
        {"cpu": [256.0]},
        {"cpu": [{"numeric": [">", 0, "<=", 256]}]},
        {"cpu": [{"anything-but": [1, 2]}]},
        {"ratio": [{"numeric": ["=", 0.5]}]},
        {"ip": [{"cidr": "10.0.0.0/16"}]},
        {"ipv6": [{"cidr": "2001:db8::/32"}]},
        {"ok": [True]},
        {"nothing": [None]},
        {"empty": [""]},
        {"cpu": [{"exists": True}]},
        {"gone": [{"exists": False}]},
        {"gone": [{"exists": False}, "x"]},
        {"deep": {"er": [{"exists": False}]}},
        {"containers": {"name": ["web"], "exitCode": [1]}},
        {"$or": [{"cpu": [1]}, {"lastStatus": ["STOPPED"]}]},
    ],
)
def test_accepted(wanted: dict[str, Any]) -> None:
    assert accepts({"source": ["aws.ecs"], "detail": wanted})


@pytest.mark.parametrize(
    "wanted",
    [
        {"lastStatus": ["stopped"]},
        {"lastStatus": [{"anything-but": {"prefix": "STOP"}}]},
        {"lastStatus": [{"wildcard": "S*X"}]},
        {"cpu": ["256"]},
        {"cpu": [True]},
        {"ok": [1]},
        {"lastStatus": [{"numeric": [">", 0]}]},
        {"ip": [{"cidr": "10.1.0.0/16"}]},
        {"cpu": [{"exists": False}]},
        {"gone": [{"anything-but": "x"}]},
        {"containers": {"name": ["web"], "exitCode": [0]}},
        {"$or": [{"cpu": [1]}, {"cpu": [2]}]},
    ],
)
def test_refused(wanted: dict[str, Any]) -> None:
    assert not accepts({"detail": wanted})


def test_one_element_of_an_array_is_enough() -> None:
    assert accepts({"resources": [{"suffix": "service/b"}]})


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        ('{"source": "x"}', '"source" must be an object or an array'),
        ('{"source": []}', "Empty arrays are not allowed"),
        ('{"source": [{"like": "x"}]}', "Unrecognized match type like"),
        ('{"source": [{"exists": "true"}]}', "exists match pattern must be either true or false."),
        ('{"source": [{"prefix": 1}]}', "prefix match pattern must be a string"),
        ('{"source": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters at pos 1"),
        ('{"source": [{"numeric": [">", "1"]}]}', "Value must be between"),
        ('{"source": [{"numeric": [">", 5, "<", 1]}]}', "Bottom must be less than top"),
        ('{"source": ["a"], "source": ["b"]}', "multiple times"),
        ('{"source"', "not valid JSON"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPattern, match=reason.replace("(", r"\(")):
        compile_pattern(pattern)


texts = st.text(string.ascii_letters + '*\\é"/', max_size=8)
scalars = texts | st.integers(-1000, 1000) | st.booleans() | st.none()


@given(scalars)
def test_a_value_matches_itself(value: Any) -> None:
    assert accepts({"a": [value]}, {"a": value})


@given(texts, texts)
def test_anything_but_is_the_opposite_of_equals(wanted: str, value: str) -> None:
    assert accepts({"a": [wanted]}, {"a": value}) != accepts({"a": [{"anything-but": wanted}]}, {"a": value})


@given(texts, texts, texts)
def test_prefix_suffix_and_wildcard_agree(head: str, middle: str, tail: str) -> None:
    value = head + middle + tail
    assert accepts({"a": [{"prefix": head}]}, {"a": value})
    assert accepts({"a": [{"suffix": tail}]}, {"a": value})
    quoted = [text.replace("\\", "\\\\").replace("*", "\\*") for text in (head, tail)]
    assert accepts({"a": [{"wildcard": "*".join(quoted)}]}, {"a": value})


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(-100, 100))
def test_a_numeric_range_is_a_range(low: int, width: int, value: int) -> None:
    high = low + abs(width) + 1
    assert accepts({"a": [{"numeric": [">=", low, "<", high]}]}, {"a": value}) == (low <= value < high)


@given(st.dictionaries(st.sampled_from("abc"), scalars | st.lists(scalars, max_size=3), max_size=3))
def test_exists_true_and_false_are_opposites(event: dict[str, Any]) -> None:
    assert accepts({"a": [{"exists": True}]}, event) != accepts({"a": [{"exists": False}]}, event)
