"""`homeport exec`: a command, or a shell, in a running task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from __future__ import annotations

import shlex
import time
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console

from homeport.cli import stacks
from homeport.cli.target import CannotReach, Target
from homeport.cli.verb import verb
from homeport.session import terminal

err = Console(stderr=True, highlight=False, soft_wrap=True)
ENABLE_SECONDS = 600


@verb
def exec_(
    target: Target,
    service: Annotated[
        str, typer.Argument(help="The stack, a service as CLUSTER/NAME, or the ARN of a service or task.")
    ],
    command: Annotated[
        list[str] | None, typer.Argument(help="What to run, after `--`; a shell without it.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="Which of the stack's services; its first without it.")
    ] = None,
    container: Annotated[str | None, typer.Option(help="The container; the task's first without it.")] = None,
    enable: Annotated[
        bool, typer.Option("--enable", help="Let the service do it first: its tasks are replaced.")
    ] = False,
) -> None:
    """Run a command, or a shell, in a running task."""
    ecs = target.client("ecs")
    cluster, name, task = _place(target, service, environment)
    if enable and not task:
        _enable(ecs, cluster, name)
    task = task or _running(ecs, cluster, name)
    try:
        answer = ecs.execute_command(
            cluster=cluster,
            task=task,
            command=shlex.join(command or ["/bin/sh"]),
            interactive=True,
            **({"container": container} if container else {}),
        )
    except ClientError as error:
        if "execute command" not in str(error):
            raise
        raise CannotReach(
            "The service's tasks do not allow commands. Let them, which replaces them:  "
            f"homeport exec --enable {service}\n"
            "In AWS the task's role also needs ssmmessages:CreateControlChannel, CreateDataChannel, OpenControlChannel "
            "and OpenDataChannel (service.permissions in homeport.yml)."
        ) from None
    terminal.join(answer["session"]["streamUrl"], answer["session"]["tokenValue"])


def _place(target: Target, named: str, environment: str | None) -> tuple[str, str, str]:
    """Cluster, service, and the task when it is named itself."""
    if named.startswith("arn:"):
        kind, cluster, *rest = named.rpartition(":")[2].split("/")
        return (cluster, "", named) if kind == "task" else (cluster, rest[-1], "")
    cluster, slash, name = named.rpartition("/")
    if slash:
        return cluster, name, ""
    cloudformation = target.client("cloudformation")
    try:
        services = stacks.resources(cloudformation, named, "AWS::ECS::Service")
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return "default", named, ""
    places = {arn.split("/")[-1]: arn.split("/")[-2] for arn in services}
    if environment and environment not in places:
        raise CannotReach(f"The stack {named} has no service {environment}; it has {', '.join(places)}.")
    name = environment or next(iter(places), "")
    if not name:
        raise CannotReach(f"The stack {named} has no service.")
    return places[name], name, ""


def _running(ecs: Any, cluster: str, service: str) -> str:
    """The newest running task of a service."""
    try:
        tasks = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    except (ecs.exceptions.ClusterNotFoundException, ecs.exceptions.ServiceNotFoundException) as error:
        reason = error.response["Error"]["Message"]
        raise CannotReach(
            f"There is no stack {service}, and no service {service} in the cluster {cluster}: {reason} "
            "Name a stack, or a service as CLUSTER/NAME."
        ) from None
    described = ecs.describe_tasks(cluster=cluster, tasks=tasks)["tasks"] if tasks else []
    running = [task for task in described if task["lastStatus"] == "RUNNING"]
    if not running:
        raise CannotReach(
            f"The service {service} in the cluster {cluster} has no running task. Why:  homeport doctor"
        )
    return str(max(running, key=lambda task: task["createdAt"])["taskArn"])


def _enable(ecs: Any, cluster: str, service: str) -> None:
    """Replace the service's tasks by tasks that allow commands, and wait until they run."""
    services = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not services:
        raise CannotReach(f"The cluster {cluster} has no service {service}.")
    (found,) = services
    if found.get("enableExecuteCommand"):
        return
    ecs.update_service(cluster=cluster, service=service, enableExecuteCommand=True, forceNewDeployment=True)
    deadline = time.monotonic() + ENABLE_SECONDS
    with err.status(f"The tasks of {service} are replaced by tasks that allow commands"):
        while len(found["deployments"]) > 1 or not found.get("enableExecuteCommand"):
            if time.monotonic() > deadline:
                raise CannotReach(f"The tasks of {service} were not replaced in time. Why:  homeport doctor")
            time.sleep(0.5)
            (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
