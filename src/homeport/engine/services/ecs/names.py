"""Finding clusters, services, tasks and task definitions by what callers name them with: short names or ARNs."""

from __future__ import annotations

import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.tables import CLUSTERS, DEFINITIONS, SERVICES, TASKS
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")


def check_name(name: str, what: str) -> None:
    """Raise InvalidParameterException for a name that AWS does not take."""
    if not NAME.match(name):
        raise AwsError(
            "InvalidParameterException",
            f"{what} must match the pattern: up to 255 letters (uppercase and lowercase), numbers, underscores, "
            f"and hyphens are allowed; {name!r} does not.",
        )


def check_count(what: str, named: list[str], most: int) -> None:
    """Raise InvalidParameterException for a request that names nothing, or too much."""
    if not named:
        raise AwsError("InvalidParameterException", f"{what} cannot be empty.")
    if len(named) > most:
        raise AwsError(
            "InvalidParameterException", f"{what} cannot be more than {most}: {len(named)} are named."
        )


def cluster_name(named: str | None) -> str:
    """The short name of a cluster; the cluster `default` when none is named."""
    return (named or "default").rpartition("/")[2]


def find_cluster(ctx: Context, named: str | None) -> Body:
    """The active cluster. Raises ClusterNotFoundException."""
    cluster = CLUSTERS.get(ctx, cluster_name(named))
    if cluster is None or cluster["status"] == "INACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return cluster


def service_key(cluster: str | None, named: str) -> tuple[str, str]:
    """Cluster and name of a service; a service's long ARN says its cluster itself."""
    parts = named.split("/")
    return (parts[1] if len(parts) == 3 else cluster_name(cluster)), parts[-1]


def find_service(ctx: Context, cluster: str | None, named: str) -> Body:
    """The service that was not deleted. Raises ClusterNotFoundException, ServiceNotFoundException,
    ServiceNotActiveException."""
    key = service_key(cluster, named)
    find_cluster(ctx, key[0])
    service = SERVICES.get(ctx, *key)
    if service is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service["status"] != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    return service


def task_key(cluster: str | None, named: str) -> tuple[str, str]:
    """Cluster and id of a task."""
    parts = named.split("/")
    return (parts[1] if len(parts) == 3 else cluster_name(cluster)), parts[-1]


def find_task(ctx: Context, cluster: str | None, named: str) -> Body:
    """The row of a task. Raises ClusterNotFoundException, InvalidParameterException."""
    key = task_key(cluster, named)
    find_cluster(ctx, key[0])
    row = TASKS.get(ctx, *key)
    if row is None:
        raise AwsError("InvalidParameterException", "The referenced task was not found.")
    return row


def find_definition(ctx: Context, named: str, *, active: bool = True) -> Body:
    """The row of a task definition: `family` (its latest active revision), `family:revision` or an ARN.
    Raises ClientException."""
    family, _, revision = named.rpartition("task-definition/")[2].partition(":")
    if revision:
        row = DEFINITIONS.get(ctx, family, int(revision)) if revision.isdigit() else None
        if row is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
    else:
        newest = DEFINITIONS.list(ctx, family, status="ACTIVE", last_first=True, limit=1)
        if not newest:
            raise AwsError("ClientException", "Unable to describe task definition.")
        row = newest[0]
    if active and row["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    return row
