"""Statistic sets tell the truth about what they were given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.cloudwatch.composite import parse_rule
from homeport.engine.services.cloudwatch.math import evaluate_expression
from homeport.engine.services.cloudwatch.statistics import StatisticSet

numbers = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=400)


@given(numbers, st.sampled_from([1, 25, 50, 90, 99, 99.9]))
def test_a_percentile_is_within_two_per_cent(values: list[float], percent: float) -> None:
    whole = StatisticSet()
    for value in values:
        whole.add(value)
    ordered = sorted(values)
    exact = ordered[max(0, -int(-percent * len(ordered) // 100) - 1)]
    found = whole.statistic(f"p{percent}")
    assert found is not None and abs(found - exact) <= abs(exact) * 0.021 + 1e-9
    assert whole.statistic("SampleCount") == len(values)
    assert (whole.statistic("Minimum"), whole.statistic("Maximum")) == (ordered[0], ordered[-1])


@given(
    st.dictionaries(st.integers(0, 9).map(lambda n: n * 60.0), st.integers(-50, 50).map(float)),
    st.integers(1, 9),
)
def test_expressions_are_arithmetic(series: dict[float, float], factor: int) -> None:
    found = evaluate_expression(f"(m * {factor} + 1) - 1", {"m": series}, 60, 0, 600)
    assert found == {time: value * factor for time, value in series.items()}


def test_composite_rules() -> None:
    states = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}
    for rule, expected in [
        ("ALARM(a)", True),
        ("ALARM(a) AND ALARM(b)", False),
        ('ALARM(b) OR (NOT ALARM(b) AND INSUFFICIENT_DATA("c d"))', True),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a)", True),
        ("TRUE AND NOT FALSE", True),
    ]:
        parsed, _ = parse_rule(rule)
        assert parsed(states.__getitem__) is expected, rule
