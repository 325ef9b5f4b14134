"""Volumes of tasks. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_data_volumes.html"""

import json
import subprocess
from typing import Any

from tests.containers.conftest import IMAGE
from tests.ecs.conftest import Ecs


def run(ecs: Ecs, containers: list[dict[str, Any]], **task: Any) -> dict[str, Any]:
    """Run a task of the network mode bridge to its end; its containers' exit codes."""
    named = [{"image": IMAGE, "memory": 32, "stopTimeout": 2, **each} for each in containers]
    made = ecs.api.register_task_definition(family="volumes", containerDefinitions=named, **task)
    arn = made["taskDefinition"]["taskDefinitionArn"]
    task_arn = ecs.api.run_task(taskDefinition=arn)["tasks"][0]["taskArn"]
    ended = ecs.until_stopped(task_arn)
    return {each["name"]: each.get("exitCode") for each in ended["containers"]}


def shell(script: str, **members: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **members}


def test_containers_share_volumes_and_reach_each_other_by_links(ecs: Ecs) -> None:
    point = {"sourceVolume": "shared", "containerPath": "/shared"}
    codes = run(
        ecs,
        [
            shell(
                "echo hi > /shared/word; exec nc -l -p 7777 -e cat /shared/word", name="db", essential=False
            )
            | {"mountPoints": [point]},
            shell(
                "until nc store 7777 > /tmp/got; do sleep 0.1; done; test $(cat /tmp/got) = hi && "
                "! touch /shared/other && test $(cat /shared/word) = hi",
                name="app",
                links=["db:store"],
            )
            | {"mountPoints": [{**point, "readOnly": True}]},
        ],
        volumes=[{"name": "shared"}],
    )
    assert codes["app"] == 0


def test_a_docker_volume_is_made_with_its_driver_and_labels(ecs: Ecs) -> None:
    settings = {
        "scope": "task",
        "driver": "local",
        "driverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"},
        "labels": {"team": "web"},
    }
    point = {"sourceVolume": "scratch", "containerPath": "/scratch"}
    script = "grep -q 'tmpfs /scratch tmpfs' /proc/mounts && ! head -c 2000000 /dev/zero > /scratch/big"
    volumes = [{"name": "scratch", "dockerVolumeConfiguration": settings}]
    assert run(ecs, [shell(script, name="app", mountPoints=[point])], volumes=volumes) == {"app": 0}


def test_an_image_says_nothing_of_a_tasks_health(ecs: Ecs) -> None:
    """Only the health checks of definitions count, and of those only the ones of essential containers."""
    made = subprocess.run(["docker", "create", IMAGE, "true"], check=True, capture_output=True, text=True)
    change = f"HEALTHCHECK --interval=1s {json.dumps(['CMD', 'false'])}".replace('["CMD", ', "CMD [")
    image = f"{IMAGE.partition(':')[0]}:unwell"
    subprocess.run(
        ["docker", "commit", "-c", change, made.stdout.strip(), image], check=True, capture_output=True
    )
    subprocess.run(["docker", "rm", made.stdout.strip()], check=True, capture_output=True)
    try:
        arn = ecs.run(ecs.define("exec sleep 60", image=image))
        runtime = ecs.until_running(arn)["containers"][0]["runtimeId"]
        shown = subprocess.run(
            ["docker", "inspect", "-f", "{{json .State.Health}}", runtime], capture_output=True, text=True
        )
        assert shown.stdout.strip() == "null"
        assert ecs.task(arn)["healthStatus"] == "UNKNOWN"
    finally:
        subprocess.run(["docker", "rmi", "-f", image], capture_output=True)
