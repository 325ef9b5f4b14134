"""Running, stopping, describing tasks. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_run_task.html"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from homeport.engine.containers.errors import DockerUnavailable
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import capacity, discovery, placement, sessions, task_tags
from homeport.engine.services.ecs.container_checks import check_environment_file
from homeport.engine.services.ecs.fargate import check_launch_type, on_fargate
from homeport.engine.services.ecs.names import (
    check_count,
    find_cluster,
    find_definition,
    find_task,
    service_key,
    task_key,
)
from homeport.engine.services.ecs.networks import check_network
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.passing import check_roles
from homeport.engine.services.ecs.tables import SERVICES, TASKS, TOKENS
from homeport.engine.services.ecs.task_rows import (
    definition_of,
    described,
    new_task,
    request_stop,
)
from homeport.engine.services.idempotency import fingerprint
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_MOST_DESCRIBED = 100
_MOST_OVERRIDES = 8192
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")


@operation
async def run_task(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"""
    cluster = find_cluster(ctx, request.get("cluster"))
    definition = find_definition(ctx, request["taskDefinition"])
    await check_roles(ctx, {**definition["definition"], **request.get("overrides", {})})
    _check(request)
    strategy = request.get("capacityProviderStrategy")
    if strategy is None and not request.get("launchType"):
        strategy = cluster.get("defaultCapacityProviderStrategy")
    capacity.check(strategy or [], cluster)
    settings = _settings(
        cluster["clusterName"],
        definition,
        request,
        fargate=bool(strategy) or request.get("launchType") == "FARGATE",
    )
    obstacle = await _obstacle(ctx, definition["definition"])
    if obstacle:
        return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY", "detail": obstacle}]}
    token = f"{cluster['clusterName']}/{request['clientToken']}" if request.get("clientToken") else None
    with ctx.store.transaction():
        rows = _repeated(ctx, token, request) if token else None
        if rows is None:
            rows = [
                new_task(ctx, cluster["clusterName"], definition, {**each, "token": token})
                for each in _distributed(settings, strategy, request.get("count", 1))
            ]
            if token:
                keys = [[row["clusterName"], row["taskId"]] for row in rows]
                TOKENS.put(ctx, {"token": token, "tasks": keys, "request": fingerprint(request)})
    return {"tasks": [described(row) for row in rows], "failures": []}


def _repeated(ctx: Context, token: str, request: Body) -> list[Body] | None:
    """The tasks that a request of this client token has run before. Raises ConflictException if it asked for others.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html"""
    known = TOKENS.get(ctx, token)
    if known is None:
        return None
    rows = [row for key in known["tasks"] if (row := TASKS.get(ctx, *key))]
    if known.get("request") != fingerprint(request):
        raise AwsError(
            "ConflictException",
            "The client token is already in use with a different RunTask request.",
            resourceIds=[row["task"]["taskArn"] for row in rows],
        )
    return rows


def _check(request: Body) -> None:
    if not 1 <= request.get("count", 1) <= 10:
        raise AwsError("InvalidParameterException", "count should be between 1 and 10.")
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        raise AwsError(
            "InvalidParameterException",
            "Specify either a launch type or a capacity provider strategy, not both.",
        )
    if len(json.dumps(request.get("overrides", {}))) > _MOST_OVERRIDES:
        raise AwsError(
            "InvalidParameterException", f"Container Overrides length must be at most {_MOST_OVERRIDES}"
        )
    if request.get("propagateTags") == "SERVICE":
        raise AwsError("InvalidParameterException", "The propagateTags value SERVICE is for services only.")
    if not _STARTED_BY.fullmatch(request.get("startedBy", "")):
        raise AwsError(
            "InvalidParameterException",
            "startedBy may have up to 128 letters, numbers, hyphens, slashes, and underscores.",
        )
    discovery.check_features(request)


def _settings(cluster: str, definition: Body, request: Body, *, fargate: bool) -> Body:
    check_launch_type(definition["definition"], fargate=fargate)
    network = request.get("networkConfiguration")
    check_network(request, definition["definition"])
    overrides = request.get("overrides", {})
    if request.get("enableExecuteCommand") and not (
        overrides.get("taskRoleArn") or definition["definition"].get("taskRoleArn")
    ):
        raise AwsError(
            "InvalidParameterException",
            "The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role in your "
            "task definition and try again.",
        )
    names = {container["name"] for container in definition["definition"]["containerDefinitions"]}
    overrides = {
        "containerOverrides": [],
        "inferenceAcceleratorOverrides": [],
        **request.get("overrides", {}),
    }
    for override in overrides["containerOverrides"]:
        for file in override.get("environmentFiles", []):
            check_environment_file(file)
        if override.get("name") not in names:
            raise AwsError(
                "InvalidParameterException",
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition.",
            )
    return {
        "group": request.get("group") or f"family:{definition['family']}",
        "startedBy": request.get("startedBy"),
        "launchType": "FARGATE" if fargate else request.get("launchType", "EC2"),
        **(
            on_fargate(request.get("platformVersion"), definition["definition"], overrides) if fargate else {}
        ),
        "networkConfiguration": network or {},
        "enableExecuteCommand": request.get("enableExecuteCommand", False),
        "overrides": overrides,
        "tags": task_tags.of_run_task(cluster, request, definition),
    }


def _distributed(settings: Body, strategy: list[Body] | None, count: int) -> list[Body]:
    counts: Counter[str] = Counter()
    found = []
    for _ in range(count):
        provider = capacity.choose(strategy, counts) if strategy else None
        counts[provider or ""] += 1
        found.append({**settings, "capacityProviderName": provider})
    return found


async def _obstacle(ctx: Context, definition: Body) -> str | None:
    try:
        return await placement.obstacle(ctx, definition)
    except DockerUnavailable as error:
        raise AwsError("ServerException", str(error)) from error


@operation
async def stop_task(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html"""
    row = find_task(ctx, request.get("cluster"), request["task"])
    if row["lastStatus"] != "STOPPED":
        request_stop(ctx, row, "UserInitiated", request.get("reason") or "Task stopped by user")
    return {"task": described(find_task(ctx, request.get("cluster"), request["task"]))}


@operation
async def describe_tasks(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""
    find_cluster(ctx, request.get("cluster"))
    check_count("Tasks", request["tasks"], _MOST_DESCRIBED)
    tasks, failures = [], []
    for named in request["tasks"]:
        key = task_key(request.get("cluster"), named)
        row = TASKS.get(ctx, *key)
        if row is None:
            arn = named if named.startswith("arn:") else ctx.arn(f"task/{key[0]}/{key[1]}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            shown = described(row)
            tasks.append(shown if "TAGS" in request.get("include", []) else {**shown, "tags": []})
    return {"tasks": tasks, "failures": failures}


@operation
async def list_tasks(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html"""
    cluster = find_cluster(ctx, request.get("cluster"))["clusterName"]
    equals: dict[str, Any] = {
        "desiredStatus": "STOPPED" if request.get("desiredStatus") == "STOPPED" else "RUNNING"
    }
    if named := request.get("serviceName"):
        equals["serviceName"] = service_key(cluster, named)[1]
        if SERVICES.get(ctx, cluster, equals["serviceName"]) is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
    # no task is on a container instance: there are none
    rows = [] if request.get("containerInstance") else TASKS.list(ctx, cluster, **equals)
    if request.get("family"):
        rows = [row for row in rows if row["definition"][0] == request["family"]]
    for member in ("startedBy", "launchType"):
        if request.get(member):
            rows = [row for row in rows if row["task"].get(member) == request[member]]
    arns = sorted(row["task"]["taskArn"] for row in rows)
    chunk, token = page(
        arns, request.get("maxResults", 100), request.get("nextToken"), str, "InvalidParameterException"
    )
    return {"taskArns": chunk, "nextToken": token}


@operation
async def execute_command(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html"""
    row = find_task(ctx, request.get("cluster"), request["task"])
    if not row["task"].get("enableExecuteCommand"):
        raise AwsError(
            "InvalidParameterException",
            "The execute command failed because execute command was not enabled when the task was run or the execute "
            "command agent isn’t running. Wait and try again or run a new task with execute command enabled and try "
            "again.",
        )
    if not request["interactive"]:
        raise AwsError("InvalidParameterException", "Interactive is the only mode supported currently.")
    names = [container["name"] for container in definition_of(ctx, row)["containerDefinitions"]]
    if len(names) > 1 and not request.get("container"):
        raise AwsError(
            "InvalidParameterException",
            f"The task has more than one container: name one of {', '.join(names)}.",
        )
    name = request.get("container") or names[0]
    if name not in names:
        raise AwsError("InvalidParameterException", f"There is no container named {name} in the task.")
    if row["containers"][name]["lastStatus"] != "RUNNING":
        raise AwsError("TargetNotConnectedException", f"The container {name} does not run.")
    port = urlsplit((await ctx.engine.container_access()).url).port
    assert port is not None
    session = sessions.new_session(ctx, docker_name(ctx, row, name), request["command"], port)
    return {
        "clusterArn": row["task"]["clusterArn"],
        "containerArn": row["containers"][name]["containerArn"],
        "containerName": name,
        "interactive": request["interactive"],
        "session": session,
        "taskArn": row["task"]["taskArn"],
    }
