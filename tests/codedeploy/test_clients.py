"""AWS's own clients deploy by CodeDeploy: the aws cli's waiter and its `aws ecs deploy`."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.codedeploy.conftest import Shop
from tests.ecs.conftest import web
from tests.waiting import until

# https://docs.aws.amazon.com/cli/latest/reference/ecs/deploy.html
APPSPEC = """version: 0.0
resources:
  - TargetService:
      type: AWS::ECS::Service
      properties:
        taskDefinition: ""
        loadBalancerInfo:
          containerName: "app"
          containerPort: 8080
"""


async def test_aws_ecs_deploy_and_what_a_stop_leaves_behind(shop: Shop, tmp_path: Path):
    command = ecs_deploy(shop, tmp_path, "v2")
    first = await asyncio.to_thread(until, lambda: newest(shop))
    await asyncio.to_thread(shop.succeeded, first)
    shop.engine.aws("deploy", "wait", "deployment-successful", "--deployment-id", first)

    async with shop.load(connections=4) as load:  # the command looks again after fifteen seconds only
        id = shop.deploy(shop.define(web("v3")), "ECSCanary10Percent5Minutes")
        await asyncio.to_thread(until, shop.weights, lambda weights: weights == {"web": 10, "green": 90})
        shop.api.stop_deployment(deploymentId=id, autoRollbackEnabled=False)
        await asyncio.to_thread(shop.ended, id)
        assert shop.weights() == {"web": 10, "green": 90}  # the canary goes on, as on AWS
        group = shop.api.get_deployment_group(applicationName="shop", deploymentGroupName="web")
        good = group["deploymentGroupInfo"]["targetRevision"]
        assert good == shop.info(first)["revision"]
        await asyncio.to_thread(shop.succeeded, shop.deploy("", revision=good))
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    assert shop.weights() == {"web": 100, "green": 0}

    told, _ = await asyncio.to_thread(command.communicate, timeout=60)
    assert command.returncode == 0
    assert f"Successfully created deployment {first}" in told
    assert "to service 'web'" in told


def ecs_deploy(shop: Shop, folder: Path, version: str) -> "subprocess.Popen[str]":
    """Begin `aws ecs deploy`."""
    container = {
        "name": "app",
        "image": shop.ecs.api.describe_task_definition(taskDefinition="app")["taskDefinition"][
            "containerDefinitions"
        ][0]["image"],
        "command": ["sh", "-c", web(version)],
        "portMappings": [{"containerPort": 8080}],
    }
    definition: dict[str, Any] = {
        "family": "app",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "2048",
        "memory": "4096",
        "containerDefinitions": [container],
    }
    (folder / "taskdef.json").write_text(json.dumps(definition))
    (folder / "appspec.yaml").write_text(APPSPEC)
    return subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("aws")), "ecs", "deploy", "--service", "web"),
            *("--task-definition", "taskdef.json", "--codedeploy-appspec", "appspec.yaml"),
            *("--codedeploy-application", "shop", "--codedeploy-deployment-group", "web"),
        ],
        cwd=folder,
        env=shop.engine.env,
        stdout=subprocess.PIPE,
        text=True,
    )


def newest(shop: Shop) -> str:
    listed = shop.api.list_deployments(applicationName="shop", deploymentGroupName="web")["deployments"]
    return str(listed[0]) if listed else ""
