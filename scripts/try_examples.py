"""Bring each example from its bare sources to its users: `python scripts/try_examples.py [NAME…]`.

init, commit, deploy, push, and then the load balancer must answer; nothing is edited by hand. An engine of its own is
started and removed again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("flask", "node", "go", "site", "two-services")
PROGRAM = "from homeport.cli.main import main; main()"


def main() -> None:
    """Try them one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOMEPORT_DATA"] = str(Path(folder) / "engine")
        homeport(Path(folder), "engine", "start", "--detach", "--port", "0")
        try:
            for name in sys.argv[1:] or NAMES:
                began = time.monotonic()
                answers = release(Path(shutil.copytree(EXAMPLES / name, Path(folder) / name)))
                print(f"{name}: {', '.join(answers)} ({time.monotonic() - began:.0f} s)", flush=True)
        finally:
            homeport(Path(folder), "engine", "reset", "--yes")
            homeport(Path(folder), "engine", "stop")


def release(folder: Path) -> list[str]:
    """What the services of a repository answer once they are released."""
    run(folder, "git", "init", "--quiet", "--initial-branch", "main")
    homeport(folder, "init", "--yes")
    run(folder, "git", "add", "--all")
    run(folder, "git", "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "First")
    manifests = sorted(folder.glob("**/homeport.yml"))
    for manifest in manifests:
        homeport(folder, "deploy", "--file", str(manifest))
    run(folder, "git", "push", "--quiet")
    return [answer(folder, app(manifest)) for manifest in manifests]


def app(manifest: Path) -> str:
    """The name of the app of a manifest."""
    return manifest.read_text().partition("app: ")[2].split()[0]


def answer(folder: Path, stack: str) -> str:
    """Follow the release to its end, then ask the load balancer for `/`."""
    deadline = time.monotonic() + 60
    while homeport(folder, "status", stack, "--watch", check=time.monotonic() > deadline) is None:
        time.sleep(0.5)
    url = json.loads(str(homeport(folder, "open", stack, "--output", "json")))["url"]
    host, _, port = url.partition("://")[2].partition(":")
    # not every resolver leads *.localhost to this machine
    request = urllib.request.Request(f"http://127.0.0.1:{port or 80}/", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=10) as got:
        return f"{got.status} {got.read().decode().strip()!r}"


def homeport(folder: Path, *words: str, check: bool = True) -> str | None:
    """Run the command; None when it failed and that is no reason to end."""
    return run(folder, sys.executable, "-c", PROGRAM, *words, check=check)


def run(folder: Path, *words: str, check: bool = True) -> str | None:
    """Run a program, and return what it wrote."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode and (check or "has not run yet" not in done.stderr):
        raise SystemExit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return None if done.returncode else done.stdout


if __name__ == "__main__":
    main()
