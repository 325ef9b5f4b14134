"""Services. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import capacity, discovery
from homeport.engine.services.ecs.controllers import check_creation, check_update, described
from homeport.engine.services.ecs.deployments import load_balancers
from homeport.engine.services.ecs.deployments.settings import deployment_configuration
from homeport.engine.services.ecs.deployments.starting import abandon, check_change, start, supersede
from homeport.engine.services.ecs.fargate import check_launch_type
from homeport.engine.services.ecs.metrics import METRICS
from homeport.engine.services.ecs.names import (
    check_count,
    check_name,
    find_cluster,
    find_definition,
    find_service,
    service_key,
)
from homeport.engine.services.ecs.networks import check_network
from homeport.engine.services.ecs.revisions import new_revision
from homeport.engine.services.ecs.service_checks import check_load_balancers, check_members, check_role
from homeport.engine.services.ecs.service_rows import deployments, save_service
from homeport.engine.services.ecs.tables import SERVICES
from homeport.engine.services.ecs.task_sets import has_task_sets, new_task_set
from homeport.engine.services.ecs.watch import WATCH, changed_topic
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_NEW_REVISION = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
)
"""Members whose change starts a deployment."""
_MOST_DESCRIBED = 10
_KEPT = (
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "placementConstraints",
    "placementStrategy",
    "availabilityZoneRebalancing",
)


_ROLES = {
    "loadBalancers[].advancedConfiguration.roleArn": "ecs.amazonaws.com",
    "deploymentConfiguration.lifecycleHooks[].roleArn": "ecs.amazonaws.com",
}


@operation(pass_role=_ROLES)
async def create_service(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"""
    cluster = find_cluster(ctx, request.get("cluster"))
    name = request["serviceName"]
    check_name(name, "The service name")
    discovery.check_features(request)
    check_creation(request)
    if request.get("deploymentController", {}).get("type") == "EXTERNAL":
        return _create_external(ctx, cluster, name, request)
    if not request.get("taskDefinition"):
        raise AwsError("InvalidParameterException", "TaskDefinition can not be blank.")
    definition = find_definition(ctx, request["taskDefinition"])["definition"]
    capacity.check(request.get("capacityProviderStrategy", []), cluster)
    balancers = request.get("loadBalancers", [])
    await check_load_balancers(ctx, balancers, definition)
    await discovery.check(ctx, request.get("serviceRegistries", []))
    await load_balancers.check(ctx, balancers, _strategy(request))
    settings = _new_settings(cluster, request, definition)
    check_launch_type(definition, fargate=settings["platformVersion"] is not None)
    check_network(settings, definition)
    check_members(request, "created")
    check_role(request.get("enableExecuteCommand"), definition, "created")
    with ctx.store.transaction():
        found = SERVICES.get(ctx, cluster["clusterName"], name)
        if _repeats(found, request):
            return {"service": described(ctx, found or {})}
        service = _row(ctx, cluster, name, request, settings, found)
        if has_task_sets(service):
            scale = {"value": 100.0, "unit": "PERCENT"}
            new_task_set(ctx, service, settings, definition, "PRIMARY", scale=scale)
        else:
            start(ctx, service, new_revision(ctx, service, settings, definition), [])
        save_service(ctx, service)
        ctx.wake(WATCH, f"{cluster['clusterName']}/{name}")
        ctx.wake(METRICS, f"{cluster['clusterName']}/{name}")
    return {"service": described(ctx, service)}


def _create_external(ctx: Context, cluster: Body, name: str, request: Body) -> Body:
    """A service that has no tasks until task sets are made."""
    request = {"desiredCount": 1, **request}
    with ctx.store.transaction():
        found = SERVICES.get(ctx, cluster["clusterName"], name)
        if _repeats(found, request):
            return {"service": described(ctx, found or {})}
        settings: Body = {"loadBalancers": [], "serviceRegistries": []}
        service = _row(ctx, cluster, name, request, settings, found)
        save_service(ctx, service)
        ctx.wake(METRICS, f"{cluster['clusterName']}/{name}")
    return {"service": described(ctx, service)}


def _repeats(found: Body | None, request: Body) -> bool:
    """Whether the request made the service that is there. Raises InvalidParameterException when another did."""
    if found is None or found["status"] == "INACTIVE":
        return False
    if found["status"] == "DRAINING":
        raise AwsError("InvalidParameterException", "Unable to Start a service that is still Draining.")
    if request.get("clientToken") and request["clientToken"] == found.get("clientToken"):
        return True
    raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")


def _new_settings(cluster: Body, request: Body, definition: Body) -> Body:
    settings = {member: request.get(member) for member in _NEW_REVISION}
    settings["taskDefinition"] = definition["taskDefinitionArn"]
    if not settings["launchType"] and settings["capacityProviderStrategy"] is None:
        settings["capacityProviderStrategy"] = cluster.get("defaultCapacityProviderStrategy") or None
        if not settings["capacityProviderStrategy"]:
            settings["launchType"] = "EC2"
    if settings["launchType"] == "FARGATE" or settings["capacityProviderStrategy"]:
        settings |= {"platformVersion": settings["platformVersion"] or "LATEST", "platformFamily": "Linux"}
    settings["loadBalancers"] = settings["loadBalancers"] or []
    settings["serviceRegistries"] = settings["serviceRegistries"] or []
    return settings


def _row(ctx: Context, cluster: Body, name: str, request: Body, settings: Body, before: Body | None) -> Body:
    daemon = request.get("schedulingStrategy") == "DAEMON"
    if not daemon and request.get("desiredCount") is None:
        raise AwsError(
            "InvalidParameterException",
            "A desired count is required when the scheduling strategy is REPLICA.",
        )
    before = before or {"deployments": 0, "serviceDeployments": 0, "events": 0}
    return {
        "clusterName": cluster["clusterName"],
        "serviceName": name,
        "status": "ACTIVE",
        "clientToken": request.get("clientToken"),
        "desiredCount": 1 if daemon else request["desiredCount"],
        "deployments": before["deployments"],
        "serviceDeployments": before["serviceDeployments"],
        "events": before["events"],
        "lastCompleted": None,
        "stopRequested": None,
        "steady": False,
        "shown": {
            "serviceArn": ctx.arn(f"service/{cluster['clusterName']}/{name}"),
            "clusterArn": cluster["clusterArn"],
            **settings,
            **{member: request.get(member) for member in _KEPT},
            "deploymentConfiguration": deployment_configuration(request, None),
            "deploymentController": request.get("deploymentController") or {"type": "ECS"},
            "schedulingStrategy": request.get("schedulingStrategy", "REPLICA"),
            "roleArn": request.get("role"),
            "createdAt": ctx.now(),
            "createdBy": ctx.principal.arn,
            "enableECSManagedTags": request.get("enableECSManagedTags", False),
            "propagateTags": request.get("propagateTags", "NONE"),
            "enableExecuteCommand": request.get("enableExecuteCommand", False),
            "healthCheckGracePeriodSeconds": request.get(
                "healthCheckGracePeriodSeconds", 0 if settings["loadBalancers"] else None
            ),
            "availabilityZoneRebalancing": _rebalancing(request),
            "tags": request.get("tags", []),
        },
    }


def _rebalancing(request: Body) -> str:
    """Tasks are balanced between zones unless that is not wanted, or cannot be: there is one at home."""
    able = (
        request.get("schedulingStrategy", "REPLICA") == "REPLICA"
        and (request.get("deploymentController") or {}).get("type", "ECS") == "ECS"
        and (request.get("deploymentConfiguration") or {}).get("maximumPercent", 200) > 100
    )
    wanted: str = request.get("availabilityZoneRebalancing") or ("ENABLED" if able else "DISABLED")
    if wanted == "ENABLED" and not able:
        raise AwsError(
            "InvalidParameterException",
            "Availability Zone rebalancing needs the scheduling strategy REPLICA, the deployment controller ECS and a "
            "maximumPercent above 100.",
        )
    return wanted


@operation(pass_role=_ROLES)
async def update_service(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html"""
    service = find_service(ctx, request.get("cluster"), request["service"])
    discovery.check_features(request)
    check_update(service, request)
    if has_task_sets(service):
        return _update_kept(ctx, request)
    named = request.get("taskDefinition") or service["shown"]["taskDefinition"]
    definition = find_definition(ctx, named, active="taskDefinition" in request)["definition"]
    cluster = find_cluster(ctx, service["clusterName"])
    capacity.check(request.get("capacityProviderStrategy", []), cluster)
    check_members(request, "updated")
    await discovery.check(ctx, request.get("serviceRegistries", []))
    if "loadBalancers" in request:
        await check_load_balancers(ctx, request["loadBalancers"], definition)
    if "loadBalancers" in request or "deploymentConfiguration" in request:
        balancers = request.get("loadBalancers", service["shown"].get("loadBalancers") or [])
        await load_balancers.check(ctx, balancers, _strategy(request, service))
    with ctx.store.transaction():
        service = find_service(ctx, request.get("cluster"), request["service"])
        shown = service["shown"]
        before = {member: shown.get(member) for member in _NEW_REVISION}
        changes = {member: request[member] for member in _NEW_REVISION if member in request}
        if "capacityProviderStrategy" in changes:
            changes["launchType"] = None
        changes["taskDefinition"] = definition["taskDefinitionArn"]
        shown |= changes
        check_launch_type(definition, fargate=bool(shown.get("platformVersion")))
        check_network(shown, definition)
        check_role(request.get("enableExecuteCommand"), definition, "updated")
        shown |= {member: request[member] for member in _KEPT if member in request}
        check_change(ctx, service, _strategy(request, service))
        shown["deploymentConfiguration"] = deployment_configuration(request, shown["deploymentConfiguration"])
        if "desiredCount" in request:
            service["desiredCount"] = request["desiredCount"]
        changed = any(shown.get(member) != before[member] for member in _NEW_REVISION)
        if changed or request.get("forceNewDeployment"):
            _deploy(ctx, service, definition)
        save_service(ctx, service)
        key = f"{service['clusterName']}/{service['serviceName']}"
        ctx.notify(changed_topic(key))
        ctx.wake(WATCH, key)
    return {"service": described(ctx, service)}


def _update_kept(ctx: Context, request: Body) -> Body:
    """Change what a service with task sets has beside them."""
    with ctx.store.transaction():
        service = find_service(ctx, request.get("cluster"), request["service"])
        shown = service["shown"]
        shown |= {member: request[member] for member in _KEPT if member in request}
        shown["deploymentConfiguration"] = deployment_configuration(request, shown["deploymentConfiguration"])
        service["desiredCount"] = request.get("desiredCount", service["desiredCount"])
        save_service(ctx, service)
    return {"service": described(ctx, service)}


def _deploy(ctx: Context, service: Body, definition: Body) -> None:
    """Begin to bring the service to its new settings; a deployment that is still in progress stops."""
    current = deployments(ctx, service)
    supersede(ctx, service, current)
    revision = new_revision(ctx, service, service["shown"], definition)
    start(ctx, service, revision, current)


def _strategy(request: Body, service: Body | None = None) -> str:
    before = service["shown"]["deploymentConfiguration"] if service else {"strategy": "ROLLING"}
    strategy: str = {**before, **request.get("deploymentConfiguration", {})}["strategy"]
    return strategy


@operation
async def delete_service(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html"""
    with ctx.store.transaction():
        service = find_service(ctx, request.get("cluster"), request["service"])
        daemon = service["shown"]["schedulingStrategy"] == "DAEMON"
        if service["desiredCount"] > 0 and not request.get("force") and not daemon:
            raise AwsError(
                "InvalidParameterException", "The service cannot be stopped while it is scaled above 0."
            )
        service["status"], service["desiredCount"] = "DRAINING", 0
        abandon(ctx, service, deployments(ctx, service))
        save_service(ctx, service)
        ctx.notify(changed_topic(f"{service['clusterName']}/{service['serviceName']}"))
    return {"service": described(ctx, service)}


@operation
async def describe_services(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""
    find_cluster(ctx, request.get("cluster"))
    check_count("Services", request["services"], _MOST_DESCRIBED)
    found, failures = [], []
    for named in request["services"]:
        key = service_key(request.get("cluster"), named)
        service = SERVICES.get(ctx, *key)
        if service is None:
            arn = named if named.startswith("arn:") else ctx.arn(f"service/{key[0]}/{key[1]}")
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        shown = described(ctx, service)
        if "TAGS" not in request.get("include", []):
            shown.pop("tags", None)
        found.append(shown)
    return {"services": found, "failures": failures}


@operation
async def list_services(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html"""
    cluster = find_cluster(ctx, request.get("cluster"))["clusterName"]
    services = [each for each in SERVICES.list(ctx, cluster) if each["status"] != "INACTIVE"]
    for member in ("launchType", "schedulingStrategy"):
        if request.get(member):
            services = [each for each in services if each["shown"].get(member) == request[member]]
    arns = sorted(each["shown"]["serviceArn"] for each in services)
    chunk, token = page(
        arns, request.get("maxResults", 10), request.get("nextToken"), str, "InvalidParameterException"
    )
    return {"serviceArns": chunk, "nextToken": token}
