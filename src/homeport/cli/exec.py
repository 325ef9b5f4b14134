"""`homeport exec`: a command, or a shell, in a running task."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb
from homeport.session import terminal


@verb
def exec_(
    target: Target,
    service: Annotated[str, typer.Argument(help="The service, as NAME or CLUSTER/NAME, or a task's ARN.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run; a shell without it.")] = None,
    container: Annotated[str | None, typer.Option(help="The container; the task's first without it.")] = None,
) -> None:
    """Run a command in a task of a service. The service must have execute command enabled."""
    ecs = target.client("ecs")
    cluster, task = _task(ecs, service)
    answer = ecs.execute_command(
        cluster=cluster,
        task=task,
        command=shlex.join(command or ["/bin/sh"]),
        interactive=True,
        **({"container": container} if container else {}),
    )
    terminal.join(answer["session"]["streamUrl"], answer["session"]["tokenValue"])


def _task(ecs: Any, named: str) -> tuple[str, str]:
    if named.startswith("arn:"):
        return named.split("/")[1], named
    cluster, _, service = named.rpartition("/")
    cluster = cluster or "default"
    tasks = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    described = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"] if tasks else []
    running = [task["taskArn"] for task in described if task["lastStatus"] == "RUNNING"]
    if not running:
        raise CannotReach(f"The service {service} in the cluster {cluster} has no running task.")
    return cluster, running[0]
