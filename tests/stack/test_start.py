"""The step after a deployment that starts a service's first tasks, run as the pipeline runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from homeport.cli import stacks
from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine
from homeport.stack.template import render, synthesize
from tests.containers.conftest import IMAGE

MANIFEST = "{app: shop, image: {scan: false}, service: {port: 8080, count: 1, command: ['false']}}"


def test_a_first_version_that_does_not_become_healthy_fails_its_release(engine: RunningEngine) -> None:
    template = synthesize(parse(MANIFEST))
    parameters = {"Image": IMAGE, "DesiredCount": "0"}
    outputs = stacks.deploy(engine.client("cloudformation"), "shop", render(template), parameters, poll=0.1)
    script = "\n".join(["set -e", *_commands(template, outputs["ClusterName"])])

    done = subprocess.run(["sh", "-c", script], env=_environment(engine), capture_output=True, text=True)

    assert done.returncode != 0, done.stdout
    assert "tasks failed to start" in done.stdout, done.stdout + done.stderr


def _commands(template: dict[str, object], cluster: str) -> list[str]:
    """The commands of the action Start, with the names that CloudFormation puts there."""
    stages = template["Resources"]["Pipeline"]["Properties"]["Stages"]  # type: ignore[index]
    (start,) = [each for stage in stages for each in stage["Actions"] if each["Name"] == "Start"]
    texts = [each if isinstance(each, str) else each["Fn::Sub"] for each in start["Commands"]]
    return [text.replace("${Cluster}", cluster).replace("${Service.Name}", "production") for text in texts]


def _environment(engine: RunningEngine) -> dict[str, str]:
    """Where `aws` is the one that was installed with homeport."""
    return engine.env | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
