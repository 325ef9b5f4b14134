"""Tasks as instances of Cloud Map's services: how the tasks of one service find those of another.

Cloud Map is told of each running task. Its name in the service's namespace is an alias of the task's network, which
Docker's DNS answers to every other task.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Client, Context
from homeport.engine.services.ecs.failure import CannotStart
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError

_GONE = ("InstanceNotFound", "ServiceNotFound")
_ABSENT = {
    "serviceConnectConfiguration": "Service Connect; serviceRegistries let the tasks of services find each other",
    "volumeConfigurations": "volumes that are configured at launch",
    "vpcLatticeConfigurations": "VPC Lattice",
}


def check_features(request: Body) -> None:
    """Raise UnsupportedFeatureException for what a service asks for and would not get."""
    for member, what in _ABSENT.items():
        asked = request.get(member)
        if asked and (not isinstance(asked, dict) or asked.get("enabled")):
            raise AwsError("UnsupportedFeatureException", f"homeport does not have {what} ({member}).")


async def check(ctx: Context, registries: list[Body]) -> None:
    """Raise InvalidParameterException for registries that Cloud Map does not know."""
    for registry in registries:
        try:
            await _service(ctx, registry)
        except AwsError as error:
            raise AwsError(
                "InvalidParameterException",
                f"The service registry {registry.get('registryArn')} cannot be used: {error.message}",
            ) from error


async def names(ctx: Context, row: Body, definition: Body) -> list[str]:
    """The names that lead to the task: those of Cloud Map's services whose records are addresses, which a task in the
    network mode awsvpc alone has. Raises CannotStart."""
    if definition["networkMode"] != "awsvpc":
        return []
    try:
        found = [await _name(ctx, registry) for registry in row.get("registries", [])]
    except AwsError as error:
        reason = f"unable to find the service's names in Cloud Map: {error.message}"
        raise CannotStart("ResourceInitializationError", reason) from error
    return [name for name in found if name]


async def _name(ctx: Context, registry: Body) -> str:
    service = await _service(ctx, registry)
    dns: Body = service.get("DnsConfig") or {}
    if not {each["Type"] for each in dns.get("DnsRecords", [])} & {"A", "AAAA"}:
        return ""
    namespace = await _cloud_map(ctx).get_namespace(Id=service.get("NamespaceId") or dns["NamespaceId"])
    return f"{service['Name']}.{namespace['Namespace']['Name']}"


async def register(ctx: Context, row: Body) -> None:
    """Make the task an instance of each of its services."""
    for registry in row.get("registries", []):
        port = registry.get("port") or registry.get("containerPort")
        attributes = {
            "AVAILABILITY_ZONE": row["task"]["availabilityZone"],
            "AWS_INSTANCE_IPV4": row.get("address"),
            "AWS_INSTANCE_PORT": str(port) if port else None,
            "ECS_CLUSTER_NAME": row["clusterName"],
            "ECS_SERVICE_NAME": row["serviceName"],
            "ECS_TASK_DEFINITION_FAMILY": row["definition"][0],
            "REGION": ctx.region,
        }
        await _cloud_map(ctx).register_instance(
            ServiceId=_id(registry),
            InstanceId=row["taskId"],
            Attributes={name: value for name, value in attributes.items() if value},
        )


async def deregister(ctx: Context, row: Body) -> None:
    """Let nobody find the task any more."""
    for registry in row.get("registries", []):
        try:
            await _cloud_map(ctx).deregister_instance(ServiceId=_id(registry), InstanceId=row["taskId"])
        except AwsError as error:
            if error.code not in _GONE:
                raise


async def _service(ctx: Context, registry: Body) -> Any:
    return (await _cloud_map(ctx).get_service(Id=_id(registry)))["Service"]


def _cloud_map(ctx: Context) -> Client:
    return ctx.client("servicediscovery", as_service=True)


def _id(registry: Body) -> str:
    return str(registry.get("registryArn", "")).rpartition("/")[2]
