"""How long a build of one `true` takes from StartBuild to SUCCEEDED, beside what Docker needs for its container, and
how many log lines a second reach CloudWatch Logs.

python -m bench.codebuild [builds]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from homeport.pytest_plugin import RunningEngine

LINES = 50_000
IMAGE = "homeport/build:bookworm"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def main(count: int = 5) -> dict[str, Any]:
    """Measure, and return the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        engine = RunningEngine(Path(folder) / "data")
        engine.start()
        try:
            return _measure(engine, count)
        finally:
            engine.reset()
            engine.stop()


def _measure(engine: RunningEngine, count: int) -> dict[str, Any]:
    role = _role(engine)
    _project(engine, "true", role, "true")
    _project(engine, "lines", role, f"seq {LINES}")
    _build(engine, "true")  # warms the image, the network and the aws clients
    seconds = [_build(engine, "true") for _ in range(count)]
    docker = [_docker() for _ in range(count)]
    lines = _build(engine, "lines")
    return {
        "build of `true`, seconds": round(statistics.median(seconds), 2),
        "of which Docker's own run of `true`, seconds": round(statistics.median(docker), 2),
        "log lines a second": round(LINES / (lines - statistics.median(seconds))),
    }


def _role(engine: RunningEngine) -> str:
    iam = engine.client("iam")
    role = iam.create_role(RoleName="build", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]
    iam.put_role_policy(RoleName="build", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    return str(role["Arn"])


def _project(engine: RunningEngine, name: str, role: str, command: str) -> None:
    engine.client("codebuild").create_project(
        name=name,
        source={
            "type": "NO_SOURCE",
            "buildspec": f"version: 0.2\nphases: {{build: {{commands: ['{command}']}}}}",
        },
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": IMAGE, "computeType": "BUILD_GENERAL1_SMALL"},
        serviceRole=role,
    )


def _build(engine: RunningEngine, project: str) -> float:
    codebuild = engine.client("codebuild")
    began = time.perf_counter()
    id = codebuild.start_build(projectName=project)["build"]["id"]
    while True:
        (build,) = codebuild.batch_get_builds(ids=[id])["builds"]
        if build["buildComplete"]:
            assert build["buildStatus"] == "SUCCEEDED", build
            return time.perf_counter() - began
        time.sleep(0.02)


def _docker() -> float:
    began = time.perf_counter()
    subprocess.run(["docker", "run", "--rm", "--init", IMAGE, "true"], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    results = main(*(int(word) for word in sys.argv[1:2]))
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
