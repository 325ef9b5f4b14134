"""Filter patterns find what CloudWatch Logs' documentation says that they find."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.logs.filter_patterns import InvalidFilterPattern, compile_filter

JSON = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 50,
        "a.b": {"c": "dotted"},
        "message": "one two",
    }
)
LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


def matches(pattern: str, message: str) -> bool:
    return compile_filter(pattern)(message) is not None


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "error", False),
        ("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", False),
        ('"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR", True),
        ("?ERROR ?WARN", "WARN: slow", True),
        ("?ERROR ?WARN", "INFO: fine", False),
        ("?ERROR ?WARN REQUEST", "INFO REQUEST", True),
        ("ERROR -ARGUMENTS", "ERROR: ARGUMENTS", False),
        ('ERROR -"bad request"', "ERROR: fine", True),
        ("%AUTHORIZED%", "UNAUTHORIZED", True),
        ("%4[0-9]{2}%", "status 404", True),
        ("%4[0-9]{2}%", "status 500", False),
        ('{ $.eventType = "UpdateTrail" }', JSON, True),
        ("{ $.eventType = UpdateTrail }", JSON, True),
        ("{ $.eventType != UpdateTrail }", JSON, False),
        ("{ $.gone != UpdateTrail }", JSON, False),
        ("{ $.sourceIPAddress != 123.123.* }", JSON, True),
        ('{ $.arrayKey[0] = "value" }', JSON, True),
        ('{ $.arrayKey[*] = "another value" }', JSON, True),
        ("{ $.objectList[1].id = 2 }", JSON, True),
        ("{ $.SomeObject IS NULL }", JSON, True),
        ("{ $.SomeOtherObject NOT EXISTS }", JSON, True),
        ("{ $.latency NOT EXISTS }", JSON, False),
        ("{ $.ThisFlag IS TRUE }", JSON, True),
        ("{ $.ThisFlag IS FALSE }", JSON, False),
        ("{ ($.latency > 40) && ($.eventType = Update*) }", JSON, True),
        ("{ $.latency > 60 || $.latency <= 5e1 }", JSON, True),
        ("{ $.latency = 50.0 }", JSON, True),
        ("{ $.eventType = %^Update% }", JSON, True),
        ("{ $.['a.b'].c = dotted }", JSON, True),
        ("{ $.latency > 40 }", "no json", False),
        ("[ip, id, user, timestamp, request, status = 4*, bytes]", LINE, True),
        ("[ip, id, user, timestamp, request =*.html*, status_code=4*, bytes > 1000]", LINE, True),
        ("[ip, id, user, timestamp, request, status = 5*, bytes]", LINE, False),
        ("[..., status = 404 || status = 410, bytes]", LINE, True),
        ("[ip, ...]", LINE, True),
        ("[ip, user]", LINE, False),
        ("[ip != 127.*, ...]", LINE, False),
        ("[w1=ERROR && w1!=%^x%, w2]", "ERROR here", True),
    ],
)
def test_matches(pattern: str, message: str, expected: bool) -> None:
    assert matches(pattern, message) is expected


def test_values_are_extracted() -> None:
    assert compile_filter("{ $.latency > 1 }")(JSON) == {"$.latency": "50"}
    found = compile_filter("[ip, , user, timestamp, request, status, bytes]")(LINE)
    assert found is not None
    assert (found["$ip"], found["$2"], found["$bytes"]) == ("127.0.0.1", "-", "1534")
    assert found["$request"] == "GET /index.html HTTP/1.0"


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a }",
        "{ a = 1 }",
        "{ $.a > x }",
        "{ ($.a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "%a(b)%",
        "a!b",
        "[..., ...]",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidFilterPattern):
        compile_filter(pattern)


words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)


@given(st.lists(words, min_size=1, max_size=4), st.data())
def test_each_word_of_a_message_finds_it(message: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(message), min_size=1))
    assert matches(" ".join(chosen), " ".join(message))
    assert not matches(f"-{chosen[0]}", " ".join(message))


@given(words, st.text(max_size=10) | st.integers(-1000, 1000))
def test_a_json_value_finds_its_message(name: str, value: str | int) -> None:
    written = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else value
    assert matches(f"{{ $.{name} = {written} }}", json.dumps({name: value}))


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader(pattern: str) -> None:
    try:
        compiled = compile_filter(pattern)
    except InvalidFilterPattern:
        return
    compiled("a message")
