"""The first release starts a service that had no tasks: the commands of the template's own action, run by a shell."""

from __future__ import annotations

from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine
from homeport.stack.template import render, synthesize
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import image, web  # noqa: F401
from tests.stack.actions import run_action

MANIFEST = """
app: shop
image: {{scan: false}}
service: {{port: 8080, health: /, count: 1, command: ["sh", "-c", "{script}"]}}
"""


def test_a_first_version_that_does_not_come_up_fails_and_says_why(engine: RunningEngine) -> None:
    _deploy(engine, "echo no database; exit 1", "create")
    done = run_action(engine, "Start")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ROLLBACK_" in done.stdout and "no database" in done.stdout

    _deploy(engine, web("v1"), "update")
    done = run_action(engine, "Start")
    assert done.returncode == 0 and "SUCCESSFUL" in done.stdout, done.stdout + done.stderr


def _deploy(engine: RunningEngine, script: str, verb: str) -> None:
    escaped = script.replace("\\", "\\\\").replace('"', '\\"')
    cloudformation = engine.client("cloudformation")
    getattr(cloudformation, f"{verb}_stack")(
        StackName="shop",
        TemplateBody=render(synthesize(parse(MANIFEST.format(script=escaped)))),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "Image", "ParameterValue": IMAGE}],
    )
    cloudformation.get_waiter(f"stack_{verb}_complete").wait(StackName="shop", WaiterConfig={"Delay": 1})
