"""Checking a task definition as RegisterTaskDefinition does, and filling in AWS's defaults.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeport.engine.services.ecs.container_checks import check_container
from homeport.engine.services.ecs.fargate import check_fargate, suits_fargate
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_KEPT = (
    "taskRoleArn",
    "executionRoleArn",
    "placementConstraints",
    "requiresCompatibilities",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)


def normalize(request: Body) -> Body:
    """The definition with defaults. Raises ClientException, InvalidParameterException."""
    required = request.get("requiresCompatibilities", [])
    fargate = "FARGATE" in required
    mode = request.get("networkMode") or ("awsvpc" if fargate else "bridge")
    definition = {key: request[key] for key in _KEPT if key in request}
    definition |= {
        "networkMode": mode,
        "volumes": request.get("volumes", []),
        "placementConstraints": request.get("placementConstraints", []),
        "containerDefinitions": [_container(each, mode) for each in request["containerDefinitions"]],
    }
    for member in ("cpu", "memory"):
        if request.get(member):
            definition[member] = _size(member, request[member])
    if fargate:
        check_fargate(definition)
    _check_features(definition)
    _check_containers(definition)
    return definition | {"compatibilities": ["EC2", "FARGATE"] if suits_fargate(definition) else ["EC2"]}


def _size(member: str, given: str) -> str:
    """`1024`, `1 vCPU`, `0.5 vCPU`, `2 GB`, `512` as the units that AWS stores."""
    text = given.lower().replace(" ", "")
    try:
        if member == "cpu" and text.endswith("vcpu"):
            return str(int(float(text.removesuffix("vcpu")) * 1024))
        if member == "memory" and text.endswith("gb"):
            return str(int(float(text.removesuffix("gb")) * 1024))
        return str(int(text))
    except ValueError:
        raise AwsError("ClientException", f"Invalid '{member}' setting for task: {given}") from None


def _container(given: Body, mode: str) -> Body:
    container = {
        "cpu": 0,
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        **given,
    }
    container["portMappings"] = [_port(port, mode) for port in given.get("portMappings", [])]
    if check := given.get("healthCheck"):
        container["healthCheck"] = {"interval": 30, "timeout": 5, "retries": 3, **check}
    return container


def _port(given: Body, mode: str) -> Body:
    port = {"protocol": "tcp", **given}
    if mode in ("awsvpc", "host") and "containerPort" in port:
        if port.get("hostPort", port["containerPort"]) not in (0, port["containerPort"]):
            raise AwsError(
                "ClientException",
                f"When networkMode={mode}, the host ports and container ports in port mappings must match.",
            )
        port["hostPort"] = port["containerPort"]
    elif "containerPort" in port:
        port.setdefault("hostPort", 0)
    return port


def _check_features(definition: Body) -> None:
    """Refuse what the tasks would not get."""
    if definition.get("runtimePlatform", {}).get("operatingSystemFamily", "LINUX") != "LINUX":
        raise AwsError("ClientException", "homeport runs Linux containers, not those of Windows.")
    if definition.get("proxyConfiguration"):
        raise AwsError("ClientException", "homeport does not have App Mesh (proxyConfiguration).")
    if definition.get("inferenceAccelerators"):
        raise AwsError("ClientException", "homeport does not have inference accelerators.")
    for volume in definition["volumes"]:
        for member in ("fsxWindowsFileServerVolumeConfiguration", "s3filesVolumeConfiguration"):
            if volume.get(member):
                raise AwsError("ClientException", f"homeport does not have volumes with {member}.")
        if volume.get("configuredAtLaunch"):
            raise AwsError("ClientException", "homeport does not have volumes that are configured at launch.")


def _check_containers(definition: Body) -> None:
    containers = definition["containerDefinitions"]
    names = [each.get("name", "") for each in containers]
    if not containers:
        raise AwsError("ClientException", "Container list cannot be empty.")
    for container in containers:
        check_container(container, definition)
        if names.count(container["name"]) > 1:
            raise AwsError(
                "ClientException", f"Container names must be unique: {container['name']} is there twice."
            )
    _check_sizes(definition)
    if not any(container["essential"] for container in containers):
        raise AwsError("ClientException", "A task definition must have at least one essential container")
    _check_references(definition, set(names))
    for _ in start_order(containers):
        pass


def _check_sizes(definition: Body) -> None:
    """The containers must fit into their task."""
    for member, reserved in (("cpu", ("cpu",)), ("memory", ("memoryReservation", "memory"))):
        total = sum(
            next((each[key] for key in reserved if each.get(key)), 0)
            for each in definition["containerDefinitions"]
        )
        if member in definition and total > int(definition[member]):
            raise AwsError(
                "ClientException",
                f"Invalid '{member}' setting for task: its containers reserve {total}, the task has "
                f"{definition[member]}.",
            )


def _check_references(definition: Body, names: set[str]) -> None:
    volumes = {volume["name"] for volume in definition["volumes"]}
    for container in definition["containerDefinitions"]:
        for mount in container["mountPoints"]:
            if mount.get("sourceVolume") not in volumes:
                raise AwsError("ClientException", f"Unknown volume '{mount.get('sourceVolume')}'.")
        wanted = [each["containerName"] for each in container.get("dependsOn", [])]
        wanted += [each["sourceContainer"] for each in container["volumesFrom"]]
        for other in wanted:
            if other not in names:
                raise AwsError(
                    "ClientException",
                    f"Container '{container['name']}' refers to an unknown container '{other}'.",
                )
        for dependency in container.get("dependsOn", []):
            depended = next(
                each
                for each in definition["containerDefinitions"]
                if each["name"] == dependency["containerName"]
            )
            _check_dependency(depended, dependency["condition"])


def _check_dependency(depended: Body, condition: str) -> None:
    if condition == "HEALTHY" and "healthCheck" not in depended:
        raise AwsError(
            "ClientException",
            f"A container dependency on '{depended['name']}' with the condition HEALTHY requires that "
            "container to have a health check.",
        )
    if condition in ("COMPLETE", "SUCCESS") and depended["essential"]:
        raise AwsError(
            "ClientException",
            f"A container dependency with the condition {condition} can't be set on the essential container "
            f"'{depended['name']}'.",
        )


def start_order(containers: list[Body]) -> Iterator[Body]:
    """The containers, each after those that it depends on. Raises ClientException for a cycle."""
    left = {container["name"]: container for container in containers}
    while left:
        free = [
            container
            for container in left.values()
            if not any(needed in left for needed in dependencies(container))
        ]
        if not free:
            raise AwsError("ClientException", "The container dependencies must not form a cycle.")
        for container in free:
            del left[container["name"]]
            yield container


def dependencies(container: Body) -> set[str]:
    """The names of the containers that must be there before this one starts."""
    needed = {each["containerName"] for each in container.get("dependsOn", [])}
    needed |= {each["sourceContainer"] for each in container.get("volumesFrom", [])}
    return needed | {link.partition(":")[0] for link in container.get("links", [])}
