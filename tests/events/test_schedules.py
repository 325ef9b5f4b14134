"""Schedule expressions name the times that EventBridge's documentation says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.events.schedules import InvalidSchedule, parse_schedule


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("rate(5 minutes)", "2026-01-01T00:12:00", "2026-01-01T00:15:00"),
        ("rate(1 hour)", "2026-01-01T00:00:00", "2026-01-01T01:00:00"),
        ("cron(0 10 * * ? *)", "2026-01-01T10:00:00", "2026-01-02T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T10:00:00", "2026-01-01T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00", "2026-01-05T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00:00", "2026-02-01T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:16:30", "2026-01-01T00:30:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-01-02T23:50:00", "2026-01-05T00:00:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00:00", "2026-02-28T00:00:00"),
        ("cron(0 0 LW * ? *)", "2026-02-01T00:00:00", "2026-02-27T00:00:00"),
        ("cron(0 0 15W * ? *)", "2026-02-01T00:00:00", "2026-02-16T00:00:00"),
        ("cron(0 0 ? * 6#3 *)", "2026-01-01T00:00:00", "2026-01-16T00:00:00"),
        ("cron(0 0 ? * 6L *)", "2026-01-01T00:00:00", "2026-01-30T00:00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 1 JAN,JUL ? *)", "2026-02-01T00:00:00", "2026-07-01T00:00:00"),
    ],
)
def test_the_next_time(expression: str, after: str, expected: str) -> None:
    found = parse_schedule(expression).next_after(moment(after), start=moment("2026-01-01T00:00:00"))
    assert found == moment(expected)


def test_a_schedule_of_the_past_has_no_next_time() -> None:
    assert parse_schedule("cron(0 0 1 1 ? 2020)").next_after(moment("2026-01-01"), start=0) is None


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5 seconds)",
        "cron(* * * * * *)",
        "cron(0 0 ? * ? *)",
        "cron(60 0 * * ? *)",
        "cron(0 0 * * ?)",
        "every day",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)


@given(st.integers(0, 59), st.integers(0, 23), st.floats(1e9, 2e9))
def test_a_daily_schedule_is_never_more_than_a_day_away(minute: int, hour: int, after: float) -> None:
    found = parse_schedule(f"cron({minute} {hour} * * ? *)").next_after(after, start=0)
    assert found is not None and after < found <= after + 86400
