"""Run the benchmarks, each beside what it is compared with, and write bench/RESULTS.md: python -m bench [NAME …]"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

BENCHES = (
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
    "deployments",
)
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(names: list[str]) -> int:
    """Run the named benchmarks (all, when none is named); 1 when one of them failed."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    load = os.getloadavg()[0]
    lines = [
        "# Results",
        "",
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, commit {commit}, {platform.platform()}, "
        f"{os.cpu_count()} cores, load average {load:.1f} at the start.",
    ]
    failed = 0
    for name in names or BENCHES:
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], capture_output=True, text=True)
        failed |= done.returncode
        text = done.stdout.strip() if not done.returncode else done.stderr.strip()[-2000:]
        body = text if text.startswith("|") else f"```\n{text}\n```"
        lines += ["", f"## {name}", "", body]
        print("\n".join(lines[-4:]))
    RESULTS.write_text("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
