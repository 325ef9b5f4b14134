"""Starting and stopping the containers of a task. Everything here may be repeated after a kill."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import discovery, environment_files, images, logs, secrets
from homeport.engine.services.ecs.containers import Surroundings, docker_config, named, stop_timeout
from homeport.engine.services.ecs.definitions import dependencies, start_order
from homeport.engine.services.ecs.failure import CannotStart
from homeport.engine.services.ecs.observation import docker_name
from homeport.engine.services.ecs.pause import pause_image
from homeport.engine.services.ecs.task_rows import Body, change, definition_of, stop_topic, task_key
from homeport.engine.wire.errors import AwsError

PAUSE = ".network"
"""The name of the container that holds a task's network; no container of a definition can have it."""


async def provision(ctx: Context, row: Body) -> None:
    """Give the task its network and its role's credentials. Raises CannotStart."""
    definition = definition_of(ctx, row)
    credentials = None
    if role := definition.get("taskRoleArn"):
        try:
            credentials = ctx.engine.identity.issue_container_credentials(
                role, "ecs-tasks.amazonaws.com", row["taskId"]
            )
        except AwsError as error:
            raise CannotStart(
                "TaskFailedToStart",
                f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that "
                f"the role being passed has the proper trust relationship and permissions ({error.message})",
            ) from error
    try:
        await ctx.engine.container_access()
        if _has_pause(definition):
            await _start_pause(ctx, row, definition)
    except (DockerRefused, OSError) as error:
        raise CannotStart(
            "ResourceInitializationError", f"failed to configure the task's network: {error}"
        ) from error

    def apply(fresh: Body) -> None:
        fresh.setdefault("credentials", credentials)

    change(ctx, task_key(row), apply)


def _has_pause(definition: Body) -> bool:
    """A single container holds its network itself; several share that of one that does nothing else."""
    return definition["networkMode"] == "awsvpc" and len(definition["containerDefinitions"]) > 1


async def _start_pause(ctx: Context, row: Body, definition: Body) -> None:
    runtime, access = ctx.engine.docker, await ctx.engine.container_access()
    host: Body = {
        "NetworkMode": access.network,
        "ExtraHosts": await _hosts(ctx, access.gateway),
        "Sysctls": {
            each["namespace"]: each["value"]
            for container in definition["containerDefinitions"]
            for each in container["systemControls"]
        },
    }
    names = await discovery.names(ctx, row, definition)
    config: Body = {"Image": await pause_image(runtime), "HostConfig": host, **named(access.network, names)}
    name = docker_name(ctx, row, PAUSE)
    await runtime.ensure(name, config, _labels(ctx, row, PAUSE, definition))
    await runtime.start(name)


async def _hosts(ctx: Context, gateway: str) -> list[str]:
    """Names that lead to the engine: its registry and its load balancers."""
    found = await ctx.client("elbv2", as_service=True).describe_load_balancers()
    balancers = [f"{each['DNSName']}:{gateway}" for each in found["LoadBalancers"]]
    return [f"{ctx.account}.dkr.ecr.{ctx.region}.amazonaws.com:{gateway}", *balancers]


def _labels(ctx: Context, row: Body, container: str, definition: Body) -> dict[str, str]:
    task = row["task"]
    return {
        "homeport.service": "ecs",
        "homeport.task": task_key(row),
        "homeport.account": ctx.account,
        "homeport.region": ctx.region,
        "com.amazonaws.ecs.cluster": task["clusterArn"],
        "com.amazonaws.ecs.container-name": container,
        "com.amazonaws.ecs.task-arn": task["taskArn"],
        "com.amazonaws.ecs.task-definition-family": row["definition"][0],
        "com.amazonaws.ecs.task-definition-version": str(row["definition"][1]),
    }


async def pull(ctx: Context, row: Body, definition: Body) -> bool:
    """Have all images on the machine; False when the task's stop was asked for meanwhile. Raises CannotStart."""
    if "pullStoppedAt" in row["task"]:
        return True
    began = ctx.now()
    role = definition.get("executionRoleArn")
    with ctx.engine.signals.listen([stop_topic(row)]) as stopped:
        fetching = asyncio.ensure_future(
            asyncio.gather(
                *(
                    images.fetch(ctx, each, row["images"].get(each["name"]), role)
                    for each in definition["containerDefinitions"]
                )
            )
        )
        stopping = asyncio.ensure_future(stopped.wait(3600))
        either: list[asyncio.Future[Any]] = [fetching, stopping]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not fetching.done():
                return False
        finally:
            stopping.cancel()
            fetching.cancel()
    fetched = dict(
        zip((each["name"] for each in definition["containerDefinitions"]), fetching.result(), strict=True)
    )
    now = ctx.now()

    def apply(fresh: Body) -> None:
        fresh["task"] |= {"pullStartedAt": began, "pullStoppedAt": now}
        fresh["references"] = {name: image["reference"] for name, image in fetched.items()}
        for name, image in fetched.items():
            if image["digest"]:
                fresh["containers"][name]["imageDigest"] = image["digest"]

    row.update(change(ctx, task_key(row), apply))
    return True


async def start_containers(ctx: Context, row: Body, definition: Body) -> float | None:
    """Start every container whose dependencies are met. Returns after how long one of those that wait has waited
    too long; None when none has a limit. Raises CannotStart."""
    left: list[float] = []
    for container in start_order(definition["containerDefinitions"]):
        shown = row["containers"][container["name"]]
        if shown["lastStatus"] != "PENDING":
            continue
        if not _unmet(container, row):
            await _start(ctx, row, definition, container)
            shown["lastStatus"] = "RUNNING"
        else:
            left += _waits(ctx, row, definition, container)
    return min(left, default=None)


def _unmet(container: Body, row: Body) -> dict[str, str]:
    """The containers that this one waits for, and for which condition of theirs."""
    conditions = {each["containerName"]: each["condition"] for each in container.get("dependsOn", [])}
    unmet = {}
    for name in dependencies(container):
        other = row["containers"][name]
        condition = conditions.get(name, "START")
        met = {
            "START": other["lastStatus"] in ("RUNNING", "STOPPED"),
            "COMPLETE": other["lastStatus"] == "STOPPED",
            "SUCCESS": other["lastStatus"] == "STOPPED" and other.get("exitCode") == 0,
            "HEALTHY": other["lastStatus"] == "RUNNING" and other["healthStatus"] == "HEALTHY",
        }
        if not met[condition]:
            unmet[name] = condition
    return unmet


def _waits(ctx: Context, row: Body, definition: Body, container: Body) -> list[float]:
    """The seconds that are left to those whom a container waits for: their `startTimeout` says within which time
    they must come to the condition. Raises CannotStart when one has not."""
    unmet, left = _unmet(container, row), []
    for other in definition["containerDefinitions"]:
        limit = other.get("startTimeout")
        if not limit or unmet.get(other["name"], "START") == "START":
            continue
        began = row["containers"][other["name"]].get("begun") or ctx.now()
        left.append(began + limit - ctx.now())
        if left[-1] <= 0:
            raise CannotStart(
                "ContainerRuntimeTimeoutError",
                f"Could not transition to running; timed out after waiting {limit}s: the container "
                f"{container['name']} waits for the condition {unmet[other['name']]} of {other['name']}",
                container["name"],
            )
    return left


async def _start(ctx: Context, row: Body, definition: Body, container: Body) -> None:
    runtime, name = ctx.engine.docker, container["name"]
    role = definition.get("executionRoleArn")
    own = docker_name(ctx, row, name)
    access = await ctx.engine.container_access()
    values = await environment_files.read(ctx, container, role)
    values |= {each["name"]: each["value"] for each in container["environment"]}
    values |= await secrets.resolve(ctx, container.get("secrets", []), role)
    logging = container.get("logConfiguration", {})
    if logging.get("logDriver") == "awslogs":
        await logs.open_stream(ctx, row, container, own, role)
    own_network = not _has_pause(definition)  # else the names lead to that which holds it
    around = Surroundings(
        network=_network(ctx, row, definition, access.network),
        names=await discovery.names(ctx, row, definition) if own_network else [],
        hosts=await _hosts(ctx, access.gateway),
        environment={**_environment(ctx, row, name, access), **values},
        labels=_labels(ctx, row, name, definition),
        volumes={volume["name"]: _volume(ctx, row, volume) for volume in definition["volumes"]},
        siblings={
            each["name"]: docker_name(ctx, row, each["name"]) for each in definition["containerDefinitions"]
        },
        log_secrets=await secrets.resolve(ctx, logging.get("secretOptions", []), role),
        processors=(await runtime.info())["NCPU"],
    )
    config = docker_config(definition, container, row["references"][name], around)
    try:
        await runtime.ensure(own, config)
    except DockerRefused as error:
        raise CannotStart("CannotCreateContainerError", error.message, name) from error
    try:
        await runtime.start(own)
    except DockerRefused as error:
        raise CannotStart("CannotStartContainerError", error.message, name) from error
    logs.begin(ctx, row, name)


def _network(ctx: Context, row: Body, definition: Body, network: str) -> str:
    mode = definition["networkMode"]
    if _has_pause(definition):
        return f"container:{docker_name(ctx, row, PAUSE)}"
    return network if mode in ("awsvpc", "bridge") else mode


def _environment(ctx: Context, row: Body, container: str, access: Any) -> dict[str, str]:
    """What ECS puts into every container.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html"""
    id = f"{row['taskId']}-{container}"
    environment = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"
        if row["task"].get("launchType") == "FARGATE"
        else "AWS_ECS_EC2",
        "AWS_REGION": ctx.region,
        "AWS_DEFAULT_REGION": ctx.region,
        **access.variables,
        "ECS_CONTAINER_METADATA_URI": f"{access.metadata_url}/v4/{id}",  # of version 3, to which 4 only adds
        "ECS_CONTAINER_METADATA_URI_V4": f"{access.metadata_url}/v4/{id}",
        "ECS_AGENT_URI": f"{access.metadata_url}/v4/{id}/api",
    }
    if row.get("credentials"):
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
            f"{access.metadata_url}/v2/credentials/{row['credentials']}"
        )
    return environment


def _volume(ctx: Context, row: Body, volume: Body) -> str:
    if path := volume.get("host", {}).get("sourcePath"):
        return str(path)
    if efs := volume.get("efsVolumeConfiguration"):
        return ctx.engine.docker.name("efs", efs["fileSystemId"], *_place_in_efs(efs))
    shared = volume.get("dockerVolumeConfiguration", {}).get("scope") == "shared"
    return ctx.engine.docker.name("volume", *(() if shared else (row["taskId"],)), volume["name"])


def _place_in_efs(efs: Body) -> list[str]:
    """Each access point and root directory of a file system is a volume of its own."""
    point = efs.get("authorizationConfig", {}).get("accessPointId")
    root = efs.get("rootDirectory", "/").strip("/")
    return [*([point] if point else []), *([hashlib.sha256(root.encode()).hexdigest()[:12]] if root else [])]


async def attach(ctx: Context, row: Body, definition: Body) -> None:
    """Learn the task's address and show it as AWS shows the network interface of a task."""
    owner = PAUSE if _has_pause(definition) else definition["containerDefinitions"][0]["name"]
    inspected = await ctx.engine.docker.inspect(docker_name(ctx, row, owner))
    networks = inspected["NetworkSettings"]["Networks"] if inspected else {}
    endpoint: Body = next(iter(networks.values()), {})
    address, mac = endpoint.get("IPAddress") or None, endpoint.get("MacAddress")
    configuration = row["task"].get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnet = (configuration.get("subnets") or [""])[0]
    id = f"{row['taskId'][:8]}-{row['taskId'][8:12]}-{row['taskId'][12:16]}-{row['taskId'][16:20]}-{row['taskId'][20:]}"
    details = {
        "subnetId": subnet,
        "networkInterfaceId": f"eni-{row['taskId'][:17]}",
        "macAddress": mac,
        "privateIPv4Address": address,
    }
    attachment = {
        "id": id,
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }

    def apply(fresh: Body) -> None:
        fresh["address"] = address
        fresh["network"] = {
            "mac": mac,
            "prefix": endpoint.get("IPPrefixLen"),
            "gateway": endpoint.get("Gateway"),
        }
        if definition["networkMode"] == "awsvpc" and address:
            fresh["task"]["attachments"] = [attachment]
            for container in fresh["containers"].values():
                container["networkInterfaces"] = [{"attachmentId": id, "privateIpv4Address": address}]
        if definition["networkMode"] == "bridge":
            for container in definition["containerDefinitions"]:
                fresh["containers"][container["name"]]["networkBindings"] = _bindings(inspected)

    change(ctx, task_key(row), apply)


def _bindings(inspected: Body | None) -> list[Body]:
    ports = (inspected or {}).get("NetworkSettings", {}).get("Ports") or {}
    return [
        {
            "bindIP": bound["HostIp"],
            "containerPort": int(port.partition("/")[0]),
            "hostPort": int(bound["HostPort"]),
            "protocol": port.partition("/")[2],
        }
        for port, published in ports.items()
        for bound in published or []
    ]


async def stop_containers(ctx: Context, row: Body, definition: Body) -> None:
    """SIGTERM, and SIGKILL after the stop timeout: first the containers that depend on others, then those."""
    left = {container["name"]: container for container in definition["containerDefinitions"]}
    while left:
        needed = {name for container in left.values() for name in dependencies(container)}
        free = [container for name, container in left.items() if name not in needed]
        await asyncio.gather(
            *(
                ctx.engine.docker.stop(docker_name(ctx, row, container["name"]), stop_timeout(container))
                for container in free
            )
        )
        for container in free:
            del left[container["name"]]


async def remove(ctx: Context, row: Body, definition: Body) -> None:
    """Remove the containers, whose results are in the row, and the volumes and credentials of this task alone."""
    runtime = ctx.engine.docker
    ctx.engine.identity.revoke_container_credentials(row["taskId"])
    names = [*(docker_name(ctx, row, name) for name in row["containers"]), docker_name(ctx, row, PAUSE)]
    await asyncio.gather(*(runtime.remove(name) for name in names))
    for volume in definition["volumes"]:
        name = _volume(ctx, row, volume)
        if row["taskId"] in name:
            await runtime.remove_volume(name)
