"""Checking a task definition as RegisterTaskDefinition does, and filling in AWS's defaults.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

FARGATE_MEMORY = {
    256: {512, 1024, 2048},
    512: set(range(1024, 4097, 1024)),
    1024: set(range(2048, 8193, 1024)),
    2048: set(range(4096, 16385, 1024)),
    4096: set(range(8192, 30721, 1024)),
    8192: set(range(16384, 61441, 4096)),
    16384: set(range(32768, 122881, 8192)),
}
"""Memory sizes in MiB that Fargate has for each size of CPU.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

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
    fargate = "FARGATE" in request.get("requiresCompatibilities", [])
    mode = request.get("networkMode") or ("awsvpc" if fargate else "bridge")
    definition = {key: request[key] for key in _KEPT if key in request}
    definition |= {
        "networkMode": mode,
        "volumes": request.get("volumes", []),
        "placementConstraints": request.get("placementConstraints", []),
        "compatibilities": ["EC2", "FARGATE"] if fargate else ["EC2"],
        "containerDefinitions": [_container(each, mode) for each in request["containerDefinitions"]],
    }
    for member in ("cpu", "memory"):
        if request.get(member):
            definition[member] = _size(member, request[member])
    if fargate:
        _check_fargate(definition)
    _check_containers(definition)
    return definition


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


def _check_fargate(definition: Body) -> None:
    if definition["networkMode"] != "awsvpc":
        raise AwsError("ClientException", "Fargate only supports network mode ‘awsvpc’.")
    for member in ("cpu", "memory"):
        if member not in definition:
            raise AwsError(
                "ClientException", f"Fargate requires that '{member}' be defined at the task level."
            )
    cpu, memory = int(definition["cpu"]), int(definition["memory"])
    if memory not in FARGATE_MEMORY.get(cpu, ()):
        raise AwsError(
            "ClientException",
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
            "documentation for the valid values.",
        )


def _check_containers(definition: Body) -> None:
    containers = definition["containerDefinitions"]
    names = [each.get("name", "") for each in containers]
    if not containers:
        raise AwsError("ClientException", "Container list cannot be empty.")
    for container in containers:
        name = container.get("name")
        if not name:
            raise AwsError("ClientException", "Container.name should not be null or empty.")
        if not container.get("image"):
            raise AwsError("ClientException", "Container.image should not be null or empty.")
        if names.count(name) > 1:
            raise AwsError("ClientException", f"Container names must be unique: {name} is there twice.")
        if (
            "memory" not in definition
            and not container.get("memory")
            and not container.get("memoryReservation")
        ):
            raise AwsError(
                "ClientException",
                f"Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be "
                "specified.",
            )
        soft, hard = container.get("memoryReservation"), container.get("memory")
        if soft and hard and soft > hard:
            raise AwsError(
                "ClientException",
                f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to "
                "'memoryReservation'.",
            )
    if not any(container["essential"] for container in containers):
        raise AwsError("ClientException", "A task definition must have at least one essential container")
    _check_references(definition, set(names))
    for _ in start_order(containers):
        pass


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
            if dependency["condition"] == "HEALTHY" and "healthCheck" not in depended:
                raise AwsError(
                    "ClientException",
                    f"A container dependency on '{depended['name']}' with the condition HEALTHY requires that "
                    "container to have a health check.",
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
