"""Stacks of many types, by the aws cli as people use it."""

from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import NETWORK, Stack

DELIVERY = (Path(__file__).parent / "templates" / "delivery.yaml").read_text()


def test_a_delivery_stack_is_made_changed_and_deleted(engine: RunningEngine):
    stack = Stack(engine).create(
        DELIVERY, Capabilities=["CAPABILITY_IAM"], Tags=[{"Key": "team", "Value": "web"}]
    )

    parameters = [{"ParameterKey": "Threshold", "ParameterValue": "5"}]
    stack.update(DELIVERY, Capabilities=["CAPABILITY_IAM"], Parameters=parameters)
    assert engine.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["Threshold"] == 5
    modified = [line for line in stack.reasons.splitlines() if "UPDATE_IN_PROGRESS" in line]
    assert [line.split()[0] for line in modified] == ["app", "Alarm"]

    stack.delete()
    assert not engine.client("ecr").describe_repositories()["repositories"]


@pytest.mark.slow
def test_the_cli_deploys_a_stack_once_and_finds_no_changes_then(engine: RunningEngine, tmp_path: Path):
    template = tmp_path / "stack.yaml"
    template.write_text(NETWORK)
    deploy = ["cloudformation", "deploy", "--stack-name", "app", "--template-file", str(template)]

    first = engine.aws(*deploy, "--tags", "team=web", check=False)
    assert "Successfully created/updated stack" in first.stdout, first.stderr + Stack(engine).reasons
    again = engine.aws(*deploy, "--tags", "team=web", "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in again.stdout
