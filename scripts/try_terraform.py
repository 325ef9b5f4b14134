"""Make, change and remove a delivery stack by Terraform: `python scripts/try_terraform.py`.

Terraform and its provider for AWS must be there. After each step a plan must find nothing left to change: whatever the
provider reads is what it wrote. An engine of its own is started and removed again; it takes some six minutes, most of
which Terraform waits.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

CONFIGURATION = Path(__file__).parent / "terraform"
PROGRAM = "from homeport.cli.main import main; main()"
_ENDS = ("Terraform has been successfully", "Apply complete", "No changes", "Destroy complete")
FUNCTION = "def handler(event, context):\n    return event\n"


def main() -> None:
    """Take the stack from its first resource to its last."""
    if shutil.which("terraform") is None:
        raise SystemExit("terraform is not installed: https://developer.hashicorp.com/terraform/install")
    with tempfile.TemporaryDirectory() as root:
        folder = Path(shutil.copytree(CONFIGURATION, Path(root) / "stack"))
        (folder / "f.zip").write_bytes(archive())
        os.environ["HOMEPORT_DATA"] = str(Path(root) / "engine")
        homeport("engine", "start", "--detach", "--port", "0")
        try:
            os.environ |= json.loads(homeport("engine", "env", "--output", "json"))
            terraform(folder, "init")
            for word in ("one", "two"):
                terraform(folder, "apply", "-auto-approve", f"-var=word={word}")
                terraform(folder, "plan", "-detailed-exitcode", f"-var=word={word}")
            terraform(folder, "destroy", "-auto-approve")
        finally:
            homeport("engine", "reset", "--yes")
            homeport("engine", "stop")


def archive() -> bytes:
    """The function of the stack."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("index.py", FUNCTION)
    return written.getvalue()


def terraform(folder: Path, *words: str) -> None:
    """Run Terraform, and tell what it says at its end."""
    began = time.monotonic()
    done = subprocess.run(
        ["terraform", *words, "-no-color", "-input=false"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"terraform {' '.join(words)}\n{done.stdout[-4000:]}{done.stderr}")
    said = next((line for line in done.stdout.splitlines() if line.startswith(_ENDS)), "")
    print(f"{' '.join(words)}: {said} ({time.monotonic() - began:.0f} s)", flush=True)


def homeport(*words: str) -> str:
    """Run a command of homeport, and return what it wrote."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"homeport {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
