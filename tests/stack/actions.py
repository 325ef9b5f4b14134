"""The commands of a template's own actions, run by a shell of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from homeport.pytest_plugin import RunningEngine


def run_action(
    engine: RunningEngine, name: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an action of the pipeline `shop`, in the folder that has its input artifact."""
    pipeline = engine.client("codepipeline").get_pipeline(name="shop")["pipeline"]
    [commands] = [
        action["commands"]
        for stage in pipeline["stages"]
        for action in stage["actions"]
        if action["name"] == name
    ]
    script = "\n".join(each["value"] if isinstance(each, dict) else each for each in commands)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the aws cli that came with homeport
    environment = engine.env | {"PATH": path}
    return subprocess.run(
        ["sh", "-ec", script], env=environment, cwd=folder, capture_output=True, text=True, timeout=120
    )
