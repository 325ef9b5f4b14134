"""The task metadata endpoint, version 4: what a task's programs ask about themselves, at the address in
`ECS_CONTAINER_METADATA_URI_V4`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import protection
from homeport.engine.services.ecs.logs import stream_name
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.tables import TASKS
from homeport.engine.services.ecs.task_rows import Body, definition_of
from homeport.engine.wire import http
from homeport.engine.wire.http import AsgiApp, Response

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

PREFIX = "v4"


def endpoint(engine: Engine) -> AsgiApp:
    """The ASGI application below `/v4`: `/v4/<task>-<container>[/task|/taskWithTags|/stats|/task/stats]`, and
    `/v4/<task>-<container>/api`, which the agent's own interface is below."""

    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        id, _, rest = request.path.removeprefix(f"/{PREFIX}/").partition("/")
        task, _, container = id.partition("-")
        found = TASKS.everywhere(engine.store, taskId=task)
        if not found or container not in found[0][1]["containers"]:
            await _answer(404, {"message": "There is no task metadata at this address."}).send(send)
            return
        place, row = found[0]
        ctx = engine.context("ecs", place)
        body: Body | None
        if rest == f"api/{protection.PATH}":
            status, body = await protection.answer(ctx, row, request)
        else:
            body = await _body(ctx, row, container, rest.strip("/")) if request.method == "GET" else None
            status = 200 if body is not None else 404
        await _answer(status, body).send(send)

    return app


async def _body(ctx: Context, row: Body, container: str, what: str) -> Any:
    if what == "":
        return await _container(ctx, row, container)
    if what in ("task", "taskWithTags"):
        return await _task(ctx, row, tags=what == "taskWithTags")
    if what == "stats":
        return await _stats(ctx, row, container)
    if what == "task/stats":
        names = list(row["containers"])
        stats = await asyncio.gather(*(_stats(ctx, row, name) for name in names))
        return {
            row["containers"][name].get("runtimeId", name): each
            for name, each in zip(names, stats, strict=True)
        }
    return None


async def _task(ctx: Context, row: Body, *, tags: bool) -> Body:
    task = row["task"]
    answer = {
        "Cluster": task["clusterArn"],
        "TaskARN": task["taskArn"],
        "Family": row["definition"][0],
        "Revision": str(row["definition"][1]),
        "ServiceName": row["serviceName"],
        "DesiredStatus": row["desiredStatus"],
        "KnownStatus": row["lastStatus"],
        "Limits": _limits(task),
        "PullStartedAt": _time(task.get("pullStartedAt")),
        "PullStoppedAt": _time(task.get("pullStoppedAt")),
        "ExecutionStoppedAt": _time(task.get("executionStoppedAt")),
        "AvailabilityZone": task["availabilityZone"],
        "LaunchType": task.get("launchType"),
        "Containers": list(await asyncio.gather(*(_container(ctx, row, name) for name in row["containers"]))),
    }
    if tags:
        answer["TaskTags"] = {tag["key"]: tag["value"] for tag in task.get("tags") or []}
    return _present(answer)


async def _container(ctx: Context, row: Body, name: str) -> Body:
    shown = row["containers"][name]
    definition = next(
        each for each in definition_of(ctx, row)["containerDefinitions"] if each["name"] == name
    )
    inspected = await ctx.engine.docker.inspect(docker_name(ctx, row, name)) or {}
    logs = definition.get("logConfiguration", {})
    state = inspected.get("State", {})
    answer = {
        "DockerId": shown.get("runtimeId"),
        "Name": name,
        "DockerName": inspected.get("Name", "").removeprefix("/"),
        "Image": definition["image"],
        "ImageID": inspected.get("Image"),
        "Labels": inspected.get("Config", {}).get("Labels"),
        "DesiredStatus": row["desiredStatus"],
        "KnownStatus": shown["lastStatus"],
        "ExitCode": shown.get("exitCode"),
        "Limits": _present({"CPU": definition.get("cpu", 0), "Memory": definition.get("memory")}),
        "CreatedAt": inspected.get("Created"),
        "StartedAt": state.get("StartedAt"),
        "FinishedAt": state.get("FinishedAt") if state.get("Status") == "exited" else None,
        "Type": "NORMAL",
        "Health": {"status": shown["healthStatus"]} if shown.get("checked") else None,
        "LogDriver": logs.get("logDriver"),
        "LogOptions": _log_options(row, definition, logs),
        "ContainerARN": shown["containerArn"],
        "Ports": _ports(shown),
        "Networks": [_network(ctx, row)] if row.get("address") else [],
    }
    return _present(answer)


def _log_options(row: Body, definition: Body, logs: Body) -> Body | None:
    options = logs.get("options")
    if logs.get("logDriver") != "awslogs" or options is None:
        return options
    return {**options, "awslogs-stream": stream_name(row, definition, options)}


def _ports(shown: Body) -> list[Body] | None:
    """What a container in the network mode bridge has open on the machine."""
    return [
        {"ContainerPort": each["containerPort"], "HostPort": each["hostPort"], "Protocol": each["protocol"]}
        for each in shown.get("networkBindings", [])
    ] or None


def _network(ctx: Context, row: Body) -> Body:
    address, network = row["address"], row.get("network", {})
    mode = definition_of(ctx, row)["networkMode"]
    if mode != "awsvpc":
        return {"NetworkMode": mode, "IPv4Addresses": [address]}
    prefix, gateway = network.get("prefix"), network.get("gateway")
    subnet = ipaddress.ip_network(f"{address}/{prefix}", strict=False) if prefix else None
    shown = {
        "NetworkMode": mode,
        "IPv4Addresses": [address],
        "AttachmentIndex": 0,
        "MACAddress": network.get("mac"),
        "IPv4SubnetCIDRBlock": str(subnet) if subnet else None,
        "PrivateDNSName": f"ip-{address.replace('.', '-')}.{_domain(ctx)}",
        "SubnetGatewayIpv4Address": f"{gateway}/{prefix}" if gateway else None,
    }
    return _present(shown)


def _domain(ctx: Context) -> str:
    return "ec2.internal" if ctx.region == "us-east-1" else f"{ctx.region}.compute.internal"


def _present(members: Body) -> Body:
    return {key: value for key, value in members.items() if value is not None}


async def _stats(ctx: Context, row: Body, name: str) -> Body | None:
    try:
        return await ctx.engine.docker.stats(docker_name(ctx, row, name))
    except DockerRefused:
        return None


def _limits(task: Body) -> Body:
    cpu, memory = task.get("cpu"), task.get("memory")
    return _present({"CPU": int(cpu) / 1024 if cpu else None, "Memory": int(memory) if memory else None})


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _answer(status: int, body: Any) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())
