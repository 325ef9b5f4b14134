"""The AWS SDK for JavaScript, unmodified: its protocols, checksums, pages, waiters and typed errors."""

import shutil
import subprocess
from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine

PROGRAM = Path(__file__).parent / "javascript"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program with its packages from npm, which keeps them in its cache."""
    folder = shutil.copytree(PROGRAM, tmp_path / "javascript")
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=280)
    return folder


@pytest.mark.timeout(400)
def test_a_program_in_javascript_uses_the_services(engine: RunningEngine, program: Path):
    done = subprocess.run(
        ["node", "use.js"], cwd=program, env=engine.env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
