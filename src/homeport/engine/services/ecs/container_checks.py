"""What RegisterTaskDefinition refuses in a container definition.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#container_definitions"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.ecs.names import NAME
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_HEALTH_CHECK = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
_RESTART_PERIOD = (60, 1800)
_NOT_IN_AWSVPC = ("disableNetworking", "dnsSearchDomains", "dnsServers", "extraHosts", "hostname")
_AWSLOGS_OPTIONS = {
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
}
_MOST_ENVIRONMENT_FILES = 10


def check_container(container: Body, definition: Body) -> None:
    """Raise ClientException for a container definition that cannot be."""
    name = container.get("name")
    if not name:
        raise AwsError("ClientException", "Container.name should not be null or empty.")
    if not NAME.match(name):
        raise AwsError("ClientException", "Container.name contains invalid characters.")
    if not container.get("image"):
        raise AwsError("ClientException", "Container.image should not be null or empty.")
    _check_memory(container, definition)
    _check_network(container, definition["networkMode"])
    _check_health_check(container)
    _check_restarts(container)
    _check_logs(container)
    _check_environment(container, definition)
    if container.get("resourceRequirements"):
        raise AwsError("ClientException", f"homeport has no GPUs for the container '{name}'.")


def _check_memory(container: Body, definition: Body) -> None:
    soft, hard = container.get("memoryReservation"), container.get("memory")
    if "memory" not in definition and not hard and not soft:
        raise AwsError(
            "ClientException",
            f"Invalid setting for container '{container['name']}'. At least one of 'memory' or 'memoryReservation' "
            "must be specified.",
        )
    if soft and hard and soft > hard:
        raise AwsError(
            "ClientException",
            f"Invalid setting for container '{container['name']}'. 'memory' must be greater than or equal to "
            "'memoryReservation'.",
        )


def _check_network(container: Body, mode: str) -> None:
    if container.get("links") and mode != "bridge":
        raise AwsError("ClientException", f"Links are not supported when networkMode={mode}.")
    if mode == "awsvpc":
        for member in _NOT_IN_AWSVPC:
            if container.get(member):
                raise AwsError(
                    "ClientException", f"{member} is not supported on container when networkMode=awsvpc."
                )
    ports = [(each.get("containerPort"), each["protocol"]) for each in container["portMappings"]]
    for port, protocol in ports:
        if port is not None and not 1 <= port <= 65535:
            raise _invalid(container, "port mapping", f"the container port {port} is not between 1 and 65535")
        if port is not None and ports.count((port, protocol)) > 1:
            raise _invalid(container, "port mapping", f"the container port {port}/{protocol} is there twice")
    if mode == "none" and container.get("portMappings"):
        raise AwsError("ClientException", "Port mappings are not supported when networkMode=none.")


def _check_health_check(container: Body) -> None:
    check = container.get("healthCheck")
    if check is None:
        return
    if not check.get("command"):
        raise _invalid(container, "health check", "its command is empty")
    for member, (least, most) in _HEALTH_CHECK.items():
        if member in check and not least <= check[member] <= most:
            raise _invalid(container, "health check", f"{member} must be between {least} and {most}")


def _check_restarts(container: Body) -> None:
    policy = container.get("restartPolicy", {})
    least, most = _RESTART_PERIOD
    if not least <= policy.get("restartAttemptPeriod", most) <= most:
        raise _invalid(
            container, "restart policy", f"restartAttemptPeriod must be between {least} and {most}"
        )
    if len(policy.get("ignoredExitCodes", [])) > 50:
        raise _invalid(container, "restart policy", "it ignores more than 50 exit codes")


def _check_logs(container: Body) -> None:
    logs = container.get("logConfiguration")
    if logs is None:
        return
    if logs["logDriver"] == "awsfirelens" or container.get("firelensConfiguration"):
        raise AwsError("ClientException", "homeport does not have FireLens; use the log driver awslogs.")
    if logs["logDriver"] == "awslogs":
        unknown = sorted(logs.get("options", {}).keys() - _AWSLOGS_OPTIONS)
        if unknown:
            raise AwsError("ClientException", f"Log driver awslogs disallows options: {', '.join(unknown)}")


def _check_environment(container: Body, definition: Body) -> None:
    if container.get("secrets") and not definition.get("executionRoleArn"):
        raise AwsError(
            "ClientException",
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        )
    names = [each["name"] for member in ("environment", "secrets") for each in container.get(member, [])]
    for secret in container.get("secrets", []):
        if names.count(secret["name"]) > 1:
            raise AwsError(
                "ClientException",
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{secret['name']}'.",
            )
    files = container.get("environmentFiles", [])
    if len(files) > _MOST_ENVIRONMENT_FILES:
        raise _invalid(container, "environmentFiles", f"there are more than {_MOST_ENVIRONMENT_FILES}")
    for file in files:
        check_environment_file(file)


def check_environment_file(file: Body) -> None:
    """Raise ClientException for an environment file that cannot be."""
    if file["type"] != "s3" or ":s3:::" not in file["value"] or not file["value"].endswith(".env"):
        raise AwsError(
            "ClientException",
            f"The environment file {file['value']} must be the ARN of an object of Amazon S3 whose name ends in .env.",
        )


def _invalid(container: Body, part: str, why: str) -> AwsError:
    return AwsError(
        "ClientException",
        f"Invalid setting for container '{container['name']}': the {part} is not valid, {why}.",
    )
