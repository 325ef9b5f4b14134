"""The pictures of the README, made from a real run: `python scripts/pictures.py [DATA]`.

DATA is the folder of a demo that has run; without it the demo runs now, in a folder of its own. Each picture is what a
command prints to a terminal, colours and all.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
COLUMNS = 110


def main() -> None:
    """Draw every picture."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            draw(Path(sys.argv[1]))
            return
        try:
            homeport("demo", "--data", folder, "--port", "0")
            draw(Path(folder))
        finally:
            data = str(Path(folder) / "engine")
            homeport("engine", "reset", "--yes", "--data", data)
            homeport("engine", "stop", "--data", data)


def draw(demo: Path) -> None:
    """The pictures of a demo's stack: a good release, a bad one, what doctor says of it, and what a month costs."""
    data = ("--data", str(demo / "engine"))
    bad = json.loads(homeport("status", "hello", "--output", "json", *data))
    good = next(each for each in executions(demo) if each != bad["id"] and is_good(each, data))
    picture("status-good", f"homeport status hello --execution {good[:8]}…", ("--execution", good), data)
    picture("status-bad", "homeport status hello", (), data)
    write("doctor", "homeport doctor hello", homeport("doctor", "hello", *data))
    write("cost", "homeport cost hello", homeport("cost", "hello", *data))


def picture(name: str, title: str, words: tuple[str, ...], data: tuple[str, ...]) -> None:
    """What `homeport status` prints."""
    write(name, title, homeport("status", "hello", *words, *data))


def executions(demo: Path) -> list[str]:
    """The ids of the demo's executions, the newest first."""
    program = (
        "import sys; from pathlib import Path; from homeport.cli.target import Target\n"
        "client = Target(data=Path(sys.argv[1])).client('codepipeline')\n"
        "for each in client.list_pipeline_executions(pipelineName='hello')['pipelineExecutionSummaries']:\n"
        "    print(each['pipelineExecutionId'])"
    )
    done = subprocess.run([sys.executable, "-c", program, demo / "engine"], capture_output=True, text=True)
    return done.stdout.split()


def is_good(execution: str, data: tuple[str, ...]) -> bool:
    """Whether an execution succeeded."""
    shown = json.loads(homeport("status", "hello", "--execution", execution, "--output", "json", *data))
    return bool(shown["status"] == "Succeeded")


def homeport(*words: str) -> str:
    """Run the command as in a terminal of COLUMNS, and return what it printed."""
    program = "from homeport.cli.main import main; main()"
    environment = os.environ | {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    if "json" in words:
        environment.pop("FORCE_COLOR")
    done = subprocess.run(
        [sys.executable, "-c", program, *words], env=environment, capture_output=True, text=True
    )
    if done.returncode and (done.returncode > 1 or words[0] != "doctor"):
        raise SystemExit(f"homeport {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def write(name: str, title: str, printed: str) -> None:
    """Draw what was printed."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(printed.rstrip("\n")))
    drawn = console.export_svg(title=title, unique_id=name)
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # nothing is fetched to show it
    drawn = drawn.replace("Fira Code,", "ui-monospace, SFMono-Regular, Menlo, Consolas,")
    drawn = _TEXT.sub(_without_blanks, drawn)
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n")
    print(f"{PICTURES.relative_to(ROOT)}/{name}.svg")


_TEXT = re.compile(
    r'x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>((?:&#160;)*)(.*?)((?:&#160;)*)</text>'
)


def _without_blanks(found: re.Match[str]) -> str:
    """A text that begins where it is seen: not every program that shows SVG keeps blanks at its ends."""
    x, y, length, rest, before, text, after = found.groups()
    if not text:
        return found[0]
    lead, trail = (len(each) // len("&#160;") * _CHARACTER for each in (before, after))
    start, width = round(float(x) + lead, 1), round(float(length) - lead - trail, 1)
    return f'x="{start:g}" y="{y}" textLength="{width:g}"{rest}>{text}</text>'


_CHARACTER = 12.2
"""The width of a character in rich's pictures."""


if __name__ == "__main__":
    main()
