"""The built wheel works by itself: nothing of this checkout is reached from where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Command = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A command of an environment that has homeport from the wheel, and of this one's packages the others only."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str | Path, cwd: Path = folder) -> str:
        done = subprocess.run(list(map(str, words)), cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
    )
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A path in a .pth file is searched, but the .pth files there (this checkout's editable install) are not read.
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return lambda *words, **options: run(folder / "venv" / "bin" / words[0], *words[1:], **options)


def test_it_is_the_wheel_that_is_imported(installed: Command) -> None:
    program = "import homeport.cli.demo as demo; print(demo.__file__, demo._example())"

    module, example = installed("python", "-c", program).split()

    assert "/venv/lib/" in module
    assert "/venv/lib/" in example
    assert {"app.py", "Dockerfile", "buildspec.yml", "template.yml"} <= set(os.listdir(example))


def test_the_console_has_its_page(installed: Command) -> None:
    program = (
        "from homeport.cli.console import board, pages\n"
        "empty = dict.fromkeys(('place', 'where', 'base', 'here'), '')\n"
        "print(pages.page(pipeline='shop', panels=board.PANELS, columns=board.COLUMNS, **empty))\n"
        "print(sorted(each.name for each in (pages.FOLDER / 'static').iterdir()))"
    )

    page = installed("python", "-c", program)

    assert 'data-pipeline="shop"' in page
    assert page.endswith("['console.css', 'console.js', 'icon.svg']\n")


def test_an_engine_starts_answers_and_stops(installed: Command, tmp_path: Path) -> None:
    installed("homeport", "engine", "start", "--detach", "--port", "0", "--data", tmp_path)
    try:
        shown = json.loads(installed("homeport", "engine", "status", "--data", tmp_path, "--output", "json"))
        assert shown["url"].startswith("http://127.0.0.1:")
    finally:
        installed("homeport", "engine", "stop", "--data", tmp_path)


def test_a_repository_is_described_and_synthesized(installed: Command, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>hello</h1>")

    installed("homeport", "init", "--yes", cwd=tmp_path)
    template = installed("homeport", "synth", cwd=tmp_path)
    bill = json.loads(installed("homeport", "cost", "--output", "json", cwd=tmp_path))

    assert "AWS::CodePipeline::Pipeline" in template
    assert bill["monthly"] > 0
