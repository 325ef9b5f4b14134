"""The pictures of the console, made from a real release: `python scripts/console_pictures.py [DATA]`.

DATA is the data folder of a running engine; without it one is started, and ended. An example is released to staging and
production; while its second version shifts to staging, a headless Chromium (it must be on the PATH) takes the pictures.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pictures import PICTURES, ROOT
from screenshot import take

MANIFEST = """  count: 2
deploy: {strategy: canary, percent: 20, wait: 2, bake: 0}
environments:
  staging: {}
  production: {approval: true}
"""
SHIFTS = "document.querySelector('.split') && document.querySelectorAll('[aria-busy]').length === 0"
WIDTH, HEIGHT = 1280, 1000


def main() -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        data = sys.argv[1] if len(sys.argv) > 1 else f"{folder}/engine"
        shop = Shop(Path(folder) / "shop", data)
        if len(sys.argv) < 2:
            shop.homeport("engine", "start", "--detach", "--port", "0", "--data", data)
        try:
            shop.release()
            shop.picture()
        finally:
            shop.homeport("destroy", "--yes", "--data", data)
            if len(sys.argv) < 2:
                shop.homeport("engine", "reset", "--yes", "--data", data)
                shop.homeport("engine", "stop", "--data", data)


class Shop:
    """A repository, and what is released from it."""

    def __init__(self, folder: Path, data: str) -> None:
        self.folder = folder
        self.data = data
        shutil.copytree(ROOT / "examples" / "flask", folder)

    def release(self) -> None:
        """The first version to production, the second to where its traffic shifts in staging."""
        self.run("git", "init", "--quiet", "--initial-branch", "main")
        self.homeport("init", "--yes")
        manifest = self.folder / "homeport.yml"
        manifest.write_text(manifest.read_text() + MANIFEST)
        self.commit("Greet, released by homeport")
        self.homeport("deploy", "--yes", "--data", self.data)
        self.run("git", "push", "--quiet", "homeport", "main")
        self.until(lambda shown: any(waits(action) for action in shown["actions"]))
        self.homeport("approve", "shop", "-m", "it greets", "--data", self.data)
        self.until(lambda shown: shown["status"] == "Succeeded")
        app = self.folder / "app.py"
        app.write_text(app.read_text() + '\n\n@app.get("/hours")\ndef hours():\n    return "9 to 5"\n')
        self.commit("Tell the opening hours")
        self.run("git", "push", "--quiet", "homeport", "main")
        self.until(lambda shown: any(0 < (each["production"] or 0) < 100 for each in shown["deployments"]))

    def picture(self) -> None:
        """What the console shows."""
        command = [*HOMEPORT, "console", "--no-open", "--port", "0", "--data", self.data]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.folder) as console:
            assert console.stdout
            found = re.search(r"http\S+", console.stdout.readline())
            assert found
            pictures = {PICTURES / f"console-{scheme}.webp": scheme for scheme in ("light", "dark")}
            take(found[0], SHIFTS, pictures, WIDTH, HEIGHT)
            console.terminate()

    def until(self, good: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the pipeline is as wanted."""
        while not good(shown := self.status()):
            if shown.get("status") == "Failed" and shown["revision"]:
                raise SystemExit(f"the release failed: {json.dumps(shown, indent=2)}")
            time.sleep(0.5)

    def status(self) -> dict[str, Any]:
        """What `homeport status` tells."""
        told: dict[str, Any] = json.loads(
            self.homeport("status", "shop", "--output", "json", "--data", self.data)
        )
        return told

    def commit(self, message: str) -> None:
        """Commit all there is."""
        self.run("git", "add", "--all")
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@homeport.invalid")
        self.run("git", *identity, "commit", "--quiet", "--message", message)

    def homeport(self, *words: str) -> str:
        """Run the command."""
        return self.run(*HOMEPORT, *words)

    def run(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.folder, env=os.environ, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(words[-6:])}: {done.stdout}{done.stderr}")
        return done.stdout


def waits(action: dict[str, Any]) -> bool:
    """Whether an action waits for a person."""
    return bool(action["provider"] == "Manual" and action["status"] == "InProgress")


HOMEPORT = (sys.executable, "-c", "from homeport.cli.main import main; main()")


if __name__ == "__main__":
    main()
