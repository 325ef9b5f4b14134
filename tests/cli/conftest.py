"""The commands as a user runs them, against a test's engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from homeport.cli.main import app
from homeport.pytest_plugin import RunningEngine
from tests.cli.browser import browser, served

__all__ = ["browser", "served"]

Run = Callable[..., Any]


@pytest.fixture
def homeport(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`homeport WORDS…` on the engine of the test."""
    for name, value in engine.env.items():
        monkeypatch.setenv(name, value)
    return lambda *words, **options: CliRunner().invoke(app, list(words), **options)


@pytest.fixture
def diagnose(homeport: Run) -> Callable[..., list[dict[str, Any]]]:
    """What `homeport doctor` finds of a subject."""

    def run(subject: str, *words: str) -> list[dict[str, Any]]:
        done = homeport("doctor", *words, "--output", "json")
        told = json.loads(done.output)
        assert told["not_checked"] == {}
        assert done.exit_code == (1 if told["troubles"] else 0)
        return [each for each in told["troubles"] if each["subject"] == subject]

    return run
