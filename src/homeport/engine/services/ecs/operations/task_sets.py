"""Task sets. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-external.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import capacity, discovery
from homeport.engine.services.ecs.names import cluster_name, find_cluster, find_definition, find_service
from homeport.engine.services.ecs.networks import check_network
from homeport.engine.services.ecs.passing import check_roles
from homeport.engine.services.ecs.service_checks import check_load_balancers
from homeport.engine.services.ecs.service_rows import alive, save_service
from homeport.engine.services.ecs.tables import DEPLOYMENTS
from homeport.engine.services.ecs.task_sets import (
    computed_count,
    controller,
    described,
    has_task_sets,
    make_primary,
    new_task_set,
    task_sets,
)
from homeport.engine.services.ecs.watch import WATCH, changed_topic
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

LIMIT = 5
_WHOLE = {"value": 100.0, "unit": "PERCENT"}
_NONE = {"value": 0.0, "unit": "PERCENT"}


@operation
async def create_task_set(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateTaskSet.html"""
    service = _service(ctx, request)
    definition = find_definition(ctx, request["taskDefinition"])["definition"]
    await check_roles(ctx, definition)
    settings = _settings(request, definition)
    cluster = find_cluster(ctx, service["clusterName"])
    capacity.check(settings["capacityProviderStrategy"] or [], cluster)
    await check_load_balancers(ctx, settings["loadBalancers"], definition)
    await discovery.check(ctx, settings["serviceRegistries"])
    check_network(settings, definition)
    scale = request.get("scale", _WHOLE if controller(service) == "CODE_DEPLOY" else _NONE)
    _check_scale(scale)
    with ctx.store.transaction():
        service = _service(ctx, request)
        token = request.get("clientToken")
        known = task_sets(ctx, service)
        if repeated := [each for each in known if token and each["taskSet"].get("clientToken") == token]:
            return {"taskSet": _shown(ctx, service, repeated[0])}
        if len(known) >= LIMIT:
            raise AwsError("LimitExceededException", f"A service has at most {LIMIT} task sets.")
        row = new_task_set(
            ctx,
            service,
            settings,
            definition,
            "ACTIVE",
            scale={**_NONE, **scale},
            externalId=request.get("externalId"),
            startedBy="CODE_DEPLOY" if controller(service) == "CODE_DEPLOY" else None,
            tags=request.get("tags"),
            clientToken=token,
        )
        _save(ctx, service)
    return {"taskSet": _shown(ctx, service, row)}


def _settings(request: Body, definition: Body) -> Body:
    strategy = request.get("capacityProviderStrategy") or None
    launch = request.get("launchType") or (None if strategy else "EC2")
    fargate = launch == "FARGATE" or bool(strategy)
    return {
        "taskDefinition": definition["taskDefinitionArn"],
        "launchType": launch,
        "capacityProviderStrategy": strategy,
        "platformVersion": (request.get("platformVersion") or "LATEST") if fargate else None,
        "platformFamily": "Linux" if fargate else None,
        "networkConfiguration": request.get("networkConfiguration"),
        "loadBalancers": request.get("loadBalancers", []),
        "serviceRegistries": request.get("serviceRegistries", []),
    }


def _check_scale(scale: Body) -> None:
    if not 0 <= scale.get("value", 0) <= 100:
        raise AwsError(
            "InvalidParameterException", "The scale of a task set must be between 0 and 100 percent."
        )


@operation
async def update_task_set(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateTaskSet.html"""
    _check_scale(request["scale"])
    with ctx.store.transaction():
        service = _service(ctx, request)
        row = _find(ctx, service, request["taskSet"])
        row["taskSet"]["scale"] = {**_NONE, **request["scale"]}
        row["taskSet"] |= {"stabilityStatus": "STABILIZING", "stabilityStatusAt": ctx.now()}
        row["shown"]["updatedAt"] = ctx.now()
        DEPLOYMENTS.put(ctx, row)
        _save(ctx, service)
    return {"taskSet": _shown(ctx, service, row)}


@operation
async def describe_task_sets(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskSets.html"""
    service = _service(ctx, request)
    known = {each["id"]: each for each in task_sets(ctx, service)}
    wanted = [_id(named) for named in request.get("taskSets", [])] or list(known)
    found = [_shown(ctx, service, known[id]) for id in wanted if id in known]
    if "TAGS" not in request.get("include", []):
        for each in found:
            each.pop("tags", None)
    arn = f"task-set/{service['clusterName']}/{service['serviceName']}"
    missing = [{"arn": ctx.arn(f"{arn}/{id}"), "reason": "MISSING"} for id in wanted if id not in known]
    return {"taskSets": found, "failures": missing}


@operation
async def delete_task_set(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskSet.html"""
    with ctx.store.transaction():
        service = _service(ctx, request)
        row = _find(ctx, service, request["taskSet"])
        if computed_count(service, row) > 0 and not request.get("force"):
            raise AwsError(
                "InvalidParameterException",
                "The task set cannot be deleted while it is scaled above 0. Scale it to 0, or use force.",
            )
        row["status"] = "DRAINING"
        row["shown"]["updatedAt"] = ctx.now()
        DEPLOYMENTS.put(ctx, row)
        _save(ctx, service)
    return {"taskSet": _shown(ctx, service, row)}


@operation
async def update_service_primary_task_set(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateServicePrimaryTaskSet.html"""
    with ctx.store.transaction():
        service = _service(ctx, request)
        row = _find(ctx, service, request["primaryTaskSet"])
        if row["status"] == "DRAINING":
            raise AwsError("InvalidParameterException", f"The task set {row['id']} is being deleted.")
        make_primary(ctx, service, row)
        _save(ctx, service)
    return {"taskSet": _shown(ctx, service, row)}


def _service(ctx: Context, request: Body) -> Body:
    """The service whose task sets are asked for. Raises InvalidParameterException when ECS itself deploys it."""
    service = find_service(ctx, cluster_name(request.get("cluster")), request["service"])
    if not has_task_sets(service):
        raise AwsError(
            "InvalidParameterException",
            f"The service {service['serviceName']} has the ECS deployment controller: only services with an EXTERNAL "
            "or CODE_DEPLOY one have task sets.",
        )
    return service


def _find(ctx: Context, service: Body, named: str) -> Body:
    for row in task_sets(ctx, service):
        if row["id"] == _id(named):
            return row
    raise AwsError(
        "TaskSetNotFoundException",
        "The specified task set could not be found. You can view your available task sets with DescribeTaskSets. "
        "Task sets are specific to each cluster, service and Region.",
    )


def _id(named: str) -> str:
    """`ecs-svc/…` of a task set that is named by its id or its ARN."""
    return "/".join(named.split("/")[-2:])


def _shown(ctx: Context, service: Body, row: Body) -> Body:
    return described(ctx, service, row, alive(ctx, service))


def _save(ctx: Context, service: Body) -> None:
    save_service(ctx, service)
    key = f"{service['clusterName']}/{service['serviceName']}"
    ctx.notify(changed_topic(key))
    ctx.wake(WATCH, key)
