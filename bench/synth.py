"""`homeport synth` beside `cdk synth` of the like stack, each in new processes, in turn: python -m bench.synth

CDK's app is plain JavaScript, so that no compiler is measured. From 2.27x on CDK validates the template while it
synthesizes; homeport does that by `homeport validate`. So CDK is measured with its validation, as it comes, and
without.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from homeport.cli.project import parse_template

MANIFEST = """
app: shop
service: {autoscaling: {min: 2, max: 10}}
environments: {staging: {}, production: {approval: true}}
"""
CDK = Path(__file__).with_name("cdk")
QUIET = {"CDK_DISABLE_VERSION_CHECK": "1"}  # which asks the network
PLAIN = QUIET | {"CDK_VALIDATION": "false"}


def main(rounds: int = 5) -> list[str]:
    """Measure all in turn, and return the lines of a table."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "homeport.yml").write_text(MANIFEST)
        app = _cdk_app(Path(folder) / "cdk")
        synth = [sys.executable, "-c", "from homeport.cli.main import main; main()", "synth"]
        cdk = [str(app / "node_modules/.bin/cdk"), "synth", "--app", "node app.js", "--no-notices"]
        alone = PLAIN | {"CDK_OUTDIR": f"{folder}/out"}
        commands: dict[str, tuple[list[str], Path, dict[str, str]]] = {
            "homeport synth": (synth, Path(folder), {}),
            "cdk synth": (cdk, app, QUIET),
            "cdk synth without its validation": (cdk, app, PLAIN),
            "node app.js (that without CDK's CLI)": (["node", "app.js"], app, alone),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        busy: dict[str, list[float]] = {name: [] for name in commands}
        templates = {name: _run(*each)[2] for name, each in commands.items()}  # this run fills the caches
        for _ in range(rounds):
            for name, each in commands.items():
                wall, cpu, _ = _run(*each)
                times[name].append(wall)
                busy[name].append(cpu)
    own = statistics.median(times["homeport synth"])
    rows = ["| command | median ms | worst ms | CPU ms | resources | times |", "|---" * 6 + "|"]
    for name, measured in times.items():
        median = statistics.median(measured)
        count = len(parse_template(templates[name])["Resources"]) if templates[name] else ""
        cells = [
            f"{median * 1000:.0f}",
            f"{max(measured) * 1000:.0f}",
            f"{statistics.median(busy[name]) * 1000:.0f}",
            str(count),
            f"{median / own:.1f}×",
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


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float, str]:
    """How long it took, how much of a processor (its processes together), and what it printed."""
    environment = os.environ | variables
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed homeport has its bytecode
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    print("\n".join(main(parser.parse_args().rounds)))
