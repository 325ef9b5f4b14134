"""Run the benchmarks, each beside what it is compared with: python -m bench [NAME …]

bench/RESULTS.md keeps the last result of each, with its day, its commit and its machine.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

BENCHES = (
    "start",
    "wire",
    "synth",
    "codebuild",
    "registry",
    "loadbalancer",
    "pipelines",
    "production",
    "rolling",
    "functions",
    "idle",
    "shifts",
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(names: list[str]) -> int:
    """Run the named benchmarks (all, when none is named); 1 when one of them failed."""
    failed = 0
    for name in names or BENCHES:
        where = _where()
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], capture_output=True, text=True)
        failed |= done.returncode
        text = done.stdout.strip() if not done.returncode else done.stderr.strip()[-2000:]
        body = text if text.startswith("|") else f"```\n{text}\n```"
        print(f"## {name}\n\n{body}\n")
        _keep(name, f"{where}\n\n{body}")
    return 1 if failed else 0


def _where() -> str:
    """The circumstances of a run that begins now."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    return (
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, commit {commit}, {platform.platform()}, "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start."
    )


def _keep(name: str, result: str) -> None:
    """Write one benchmark's result in the place of its last one; those of the others stay."""
    text = RESULTS.read_text() if RESULTS.exists() else ""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    results = {heading: body.strip() for heading, _, body in parts} | {name: result}
    order = [*BENCHES, *sorted(set(results) - set(BENCHES))]
    sections = [f"## {each}\n\n{results[each]}\n" for each in order if each in results]
    RESULTS.write_text("\n".join(["# Results\n", *sections]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
