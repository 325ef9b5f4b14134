"""Lines that belong together are one log event.
https://docs.docker.com/engine/logging/drivers/awslogs/#awslogs-multiline-pattern"""

import re

import pytest

from homeport.engine.containers.logs import Line, Position
from homeport.engine.services.ecs.multiline import messages, pattern
from tests.ecs.conftest import Ecs, logged, written


def split(text: str, expression: str | None) -> list[str]:
    lines = [Line(Position(0, 0), 0.0, "stdout", each) for each in text.splitlines()]
    return ["|".join(line.text for line in message) for message in messages(lines, expression)]


def test_the_examples_of_the_documentation() -> None:
    text = (
        "[May 01, 2017 19:00:01] A message was logged\n"
        "[May 01, 2017 19:00:04] Another message was logged\nSome random message\nwith some random words\n"
        "[May 01, 2017 19:01:32] Another message was logged"
    )
    begins = pattern({"awslogs-datetime-format": r"\[%b %d, %Y %H:%M:%S\]"})
    assert [len(each.split("|")) for each in split(text, begins)] == [1, 3, 1]
    text = "INFO A message was logged\nINFO Another message was logged\n     Some random message\nINFO Third"
    begins = pattern({"awslogs-multiline-pattern": "^INFO"})
    assert [len(each.split("|")) for each in split(text, begins)] == [1, 2, 1]
    assert pattern({}) is None and split("a\nb", None) == ["a", "b"]
    assert re.fullmatch(pattern({"awslogs-datetime-format": "%H:%M:%S%L %%"}) or "", "12:00:01.123 %")


def test_what_is_no_pattern_is_told() -> None:
    with pytest.raises(ValueError, match="could not parse multiline pattern"):
        pattern({"awslogs-multiline-pattern": "("})
    with pytest.raises(ValueError, match="at the same time"):
        pattern({"awslogs-multiline-pattern": "a", "awslogs-datetime-format": "%Y"})


def test_a_stack_trace_is_one_event(ecs: Ecs) -> None:
    members = logged(ecs.engine)
    members["logConfiguration"]["options"]["awslogs-multiline-pattern"] = "^(INFO|ERROR)"
    script = r"printf 'INFO up\nERROR oh\n  at a\n  at b\n'; sleep 0.3; printf '  at c\nINFO down\n'"
    task = ecs.run(ecs.define(script, **members))
    ecs.until_stopped(task)
    assert written(ecs.engine, task) == ["INFO up", "ERROR oh\n  at a\n  at b\n  at c", "INFO down"]
