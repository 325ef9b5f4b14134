"""What AWS Fargate asks of a task definition, and what it does not take.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""

from __future__ import annotations

import platform
from typing import Any

from homeport.engine.services import ecr_images
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
"""Memory sizes in MiB that Fargate has for each size of CPU."""
_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_LONGEST_STOP = 120
_STORAGE = range(21, 201)
_STORAGE_GIVEN = 20
_PLATFORM = "1.4.0"
"""What the platform version LATEST means."""


def suits_fargate(definition: Body) -> bool:
    """Whether the launch type FARGATE may run tasks of the definition."""
    try:
        check_fargate(definition)
    except AwsError:
        return False
    return True


def check_fargate(definition: Body) -> None:
    """Raise ClientException for what Fargate does not run."""
    _check_task(definition)
    for volume in definition["volumes"]:
        if volume.get("host", {}).get("sourcePath"):
            _refuse("sourcePath")
        if volume.get("dockerVolumeConfiguration"):
            _refuse("dockerVolumeConfiguration")
    for container in definition["containerDefinitions"]:
        _check_container(container)
        _check_role(definition, container)


def check_launch_type(definition: Body, *, fargate: bool) -> None:
    """Raise InvalidParameterException when tasks of the definition are to run on Fargate and cannot."""
    if fargate and "FARGATE" not in definition["compatibilities"]:
        raise AwsError("InvalidParameterException", "Task definition does not support launch_type FARGATE.")


def on_fargate(version: str | None, definition: Body, overrides: Body | None = None) -> Body:
    """The members of a Task that one on Fargate has besides."""
    given = (overrides or {}).get("ephemeralStorage") or definition.get("ephemeralStorage")
    machine = {"aarch64": "arm64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    return {
        "platformVersion": _PLATFORM if version in (None, "LATEST") else version,
        "platformFamily": "Linux",
        "ephemeralStorage": given or {"sizeInGiB": _STORAGE_GIVEN},
        "attributes": [{"name": "ecs.cpu-architecture", "value": machine}],
    }


def _check_task(definition: Body) -> None:
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
    if definition.get("ipcMode"):
        raise AwsError("ClientException", "Tasks using the Fargate launch type do not support ipcMode.")
    if definition.get("pidMode") == "host":
        raise AwsError("ClientException", "Tasks using the Fargate launch type do not support pidMode host.")
    if definition.get("placementConstraints"):
        _refuse("placementConstraints")
    size = definition.get("ephemeralStorage", {}).get("sizeInGiB", _STORAGE[0])
    if size not in _STORAGE:
        raise AwsError(
            "ClientException",
            f"The ephemeral storage of a task must be between {_STORAGE[0]} and {_STORAGE[-1]} GiB, not {size}.",
        )


def _check_container(container: Body) -> None:
    linux = container.get("linuxParameters", {})
    for member in ("privileged", "dockerSecurityOptions"):
        if container.get(member):
            _refuse(member)
    for member in ("devices", "sharedMemorySize", "maxSwap", "swappiness"):
        if linux.get(member):
            _refuse(member)
    added = set(linux.get("capabilities", {}).get("add", [])) - {"SYS_PTRACE"}
    if added:
        _refuse(f"adding the kernel capabilities {', '.join(sorted(added))}")
    if container.get("stopTimeout", 0) > _LONGEST_STOP:
        raise AwsError(
            "ClientException",
            f"The stopTimeout of the container '{container.get('name')}' must not be above {_LONGEST_STOP} seconds on "
            "Fargate.",
        )
    logs = container.get("logConfiguration", {})
    if logs and logs["logDriver"] not in _LOG_DRIVERS:
        _refuse(f"the log driver {logs['logDriver']}")
    if logs.get("logDriver") == "awslogs":
        for option in ("awslogs-group", "awslogs-region", "awslogs-stream-prefix"):
            if not logs.get("options", {}).get(option):
                raise AwsError(
                    "ClientException",
                    f"Fargate requires log configuration options to include {option} to support log driver awslogs.",
                )


def _check_role(definition: Body, container: Body) -> None:
    needed = ""
    if container.get("logConfiguration", {}).get("logDriver") == "awslogs":
        needed = "log driver awslogs"
    elif ecr_images.parse(container.get("image", "")):
        needed = "ECR images"
    if needed and not definition.get("executionRoleArn"):
        raise AwsError(
            "ClientException",
            f"Fargate requires task definition to have execution role ARN to support {needed}.",
        )


def _refuse(what: str) -> None:
    raise AwsError("ClientException", f"Fargate compatible task definitions do not support {what}")
