"""How long an engine takes from its command to its first signed answer, and the memory it has at rest.

python -m bench.start [--times 7]

The data folder exists and the disk cache is warm. Python may keep its bytecode, as it does where homeport is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.wire import Connection, Service

REST_SECONDS = 3.0
WAIT_SECONDS = 60.0


def main() -> None:
    """Start an engine some times and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=7, help="how often the engine is started")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        } | {"PYTHONPYCACHEPREFIX": str(root / "bytecode")}
        start(root / "data", environment)
        runs = [start(root / "data", environment) for _ in range(times)]
    print("| from `homeport engine start` | median | least | most |\n|---|---|---|---|")
    for name, unit in (("first signed answer", "s"), ("RSS at rest", "MB"), ("PSS at rest", "MB")):
        values = [run[name] for run in runs]
        cells = [statistics.median(values), min(values), max(values)]
        print(f"| {name} | {' | '.join(f'{cell:.2f} {unit}' for cell in cells)} |")


def start(data: Path, environment: dict[str, str]) -> dict[str, float]:
    """One start: seconds until GetCallerIdentity was answered, and the memory a while later."""
    command = [sys.executable, "-c", "from homeport.cli.main import main; main()", "engine", "start"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--data", str(data), "--port", "0"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _first_answer(_facts(data / "engine.json", process))
        seconds = time.monotonic() - began
        time.sleep(REST_SECONDS)
        memory = _memory(process.pid)
    finally:
        process.terminate()
        process.wait()
    return {
        "first signed answer": seconds,
        "RSS at rest": memory["Rss"] / 1e6,
        "PSS at rest": memory["Pss"] / 1e6,
    }


def _facts(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the engine did not start")
        time.sleep(0.002)
    return json.loads(file.read_text())


def _first_answer(facts: dict[str, Any]) -> None:
    service = Service(facts["url"], facts["access_key_id"], facts["secret_access_key"])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    with Connection(service, service.request("sts", "POST", "/", form, body)) as connection:
        connection.exchange()


def _memory(pid: int) -> dict[str, int]:
    """Bytes by the names of /proc/PID/smaps_rollup."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}


if __name__ == "__main__":
    main()
