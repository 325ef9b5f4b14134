"""`homeport synth` beside `cdk synth` of the like stack, each in new processes, in turn: python -m bench.synth"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANIFEST = """
app: shop
service: {autoscaling: {min: 2, max: 10}}
environments: {staging: {}, production: {approval: true}}
"""
CDK = Path(__file__).with_name("cdk")


def main(rounds: int = 5) -> list[str]:
    """Measure both in turn, and return the lines of a table."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "homeport.yml").write_text(MANIFEST)
        app = _cdk_app(Path(folder) / "cdk")
        homeport = [sys.executable, "-c", "from homeport.cli.main import main; main()", "synth"]
        cdk = [str(app / "node_modules/.bin/cdk"), "synth", "--app", "node app.js", "--no-notices"]
        alone = ["env", f"CDK_OUTDIR={folder}/out", "node", "app.js"]
        commands = {
            "homeport synth": (homeport, Path(folder)),
            "cdk synth": (cdk, app),
            "node app.js (CDK without its CLI)": (alone, app),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        lines = {name: _run(*each)[1] for name, each in commands.items()}  # the first run fills the caches
        for _ in range(rounds):
            for name, each in commands.items():
                times[name].append(_run(*each)[0])
    best = statistics.median(times["homeport synth"])
    rows = ["| command | median ms | worst ms | lines | times |", "|---" * 5 + "|"]
    for name, measured in times.items():
        median = statistics.median(measured)
        cells = [
            f"{median * 1000:.0f}",
            f"{max(measured) * 1000:.0f}",
            str(lines[name] or ""),
            f"{median / best:.1f}×",
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _cdk_app(folder: Path) -> Path:
    """The CDK app with its libraries; `HOMEPORT_BENCH_CDK` names a folder that has them already."""
    shutil.copytree(CDK, folder)
    if known := os.environ.get("HOMEPORT_BENCH_CDK"):
        (folder / "node_modules").symlink_to(Path(known) / "node_modules")
    else:
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
            cwd=folder,
            check=True,
            stdout=sys.stderr,
        )
    return folder


def _run(command: list[str], folder: Path) -> tuple[float, int]:
    began = time.monotonic()
    environment = os.environ | {"CDK_DISABLE_VERSION_CHECK": "1"}  # which asks the network
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return time.monotonic() - began, done.stdout.count("\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    print("\n".join(main(parser.parse_args().rounds)))
