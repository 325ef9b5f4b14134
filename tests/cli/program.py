"""The command in a process of its own, on a test's engine."""

from __future__ import annotations

import subprocess
import sys

from homeport.pytest_plugin import RunningEngine


def homeport(engine: RunningEngine, *words: str) -> str:
    """What `homeport WORDS…` prints, on a wide terminal; it must succeed."""
    command = [sys.executable, "-c", "from homeport.cli.main import main; main()", *words]
    done = subprocess.run(command, env=engine.env | {"COLUMNS": "200"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
