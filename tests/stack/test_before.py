"""`deploy.before`: one task of the new version runs a command before it is deployed."""

from __future__ import annotations

import json
from pathlib import Path

from homeport.cli import stacks
from homeport.manifest.reader import parse
from homeport.pytest_plugin import RunningEngine
from homeport.stack.template import render, synthesize
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import image  # noqa: F401
from tests.stack.actions import run_action

MANIFEST = """
app: shop
image: {scan: false}
service: {environment: {DATABASE: main}}
deploy: {before: [sh, -c, "echo \\"migrated ${DATABASE} it's $1\\"; exit 3", sh, to 7]}
"""


def test_a_version_whose_command_before_it_fails_goes_no_further(
    engine: RunningEngine, tmp_path: Path
) -> None:
    template = render(synthesize(parse(MANIFEST)))
    outputs = stacks.deploy(engine.client("cloudformation"), "shop", template, poll=0.1)
    definitions = [{"name": "other", "imageUri": "none"}, {"name": "shop", "imageUri": IMAGE}]
    (tmp_path / "imagedefinitions.json").write_text(json.dumps(definitions))

    done = run_action(engine, "Before", tmp_path)

    assert done.returncode == 1, done.stderr
    assert "migrated main it's to 7" in done.stdout
    ecs, cluster = engine.client("ecs"), outputs["ClusterName"]
    ran = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    [task] = ecs.describe_tasks(cluster=cluster, tasks=ran)["tasks"]
    assert task["containers"][0]["image"] == IMAGE
    service = ecs.describe_services(cluster=cluster, services=["production"])["services"][0]
    assert service["taskDefinition"] != task["taskDefinitionArn"], "it is not deployed"
