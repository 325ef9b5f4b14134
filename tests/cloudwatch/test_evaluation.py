"""An alarm's state follows from its data points as AWS's tables say."""

import pytest

from homeport.engine.services.cloudwatch.evaluation import Point, Rule, State, evaluate

NONE_MISSING_3_OF_3 = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("----0", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", "ALARM", "retain", "ALARM", "OK"),
]
TWO_OF_3 = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("---X-", "ALARM", "retain", "ALARM", "OK"),
]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(drawn: str) -> list[Point | None]:
    return [None if c == "-" else Point(60.0 * n, 10.0 if c == "X" else 0.0) for n, c in enumerate(drawn)]


@pytest.mark.parametrize(
    ("datapoints", "drawn", "treatment", "expected"),
    [
        (datapoints, row[0], treatment, row[1 + n])
        for datapoints, table in ((3, NONE_MISSING_3_OF_3), (2, TWO_OF_3))
        for row in table
        for n, treatment in enumerate(TREATMENTS)
    ],
)
def test_missing_data_is_treated_as_in_the_documentation(
    datapoints: int, drawn: str, treatment: str, expected: str
) -> None:
    rule = Rule("GreaterThanThreshold", 5, 3, datapoints, treatment)  # type: ignore[arg-type]
    states: tuple[State, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
    for current in states:
        verdict = evaluate(rule, points(drawn), current)
        assert verdict.state == (current if expected == "retain" else expected)


def test_one_late_breach_does_not_raise_an_alarm_of_three() -> None:
    rule = Rule("GreaterThanThreshold", 5, 3, 3)
    assert evaluate(rule, points("----X"), "OK").state == "OK"


def test_the_reason_is_awss_sentence() -> None:
    rule = Rule("GreaterThanOrEqualToThreshold", 5, 1, 1)
    assert evaluate(rule, points("--X"), "OK").reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [10.0 (01/01/70 00:02:00)] was greater than or equal "
        "to the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert evaluate(rule, points("---"), "OK").reason == "Insufficient Data: 1 datapoint was unknown."
    quiet = Rule("GreaterThanThreshold", 5, 1, 1, "notBreaching")
    assert evaluate(quiet, points("---"), "OK").reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )
