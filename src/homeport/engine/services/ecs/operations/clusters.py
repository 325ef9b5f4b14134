"""Clusters. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/clusters.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import capacity
from homeport.engine.services.ecs.names import check_name, cluster_name, find_cluster
from homeport.engine.services.ecs.service_rows import STARTING
from homeport.engine.services.ecs.tables import CLUSTERS, SERVICES, TASKS
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def create_cluster(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html"""
    name = request.get("clusterName") or "default"
    check_name(name, "The cluster name")
    found = CLUSTERS.get(ctx, name)
    if found is not None and found["status"] == "ACTIVE":
        return {"cluster": _described(ctx, found, set())}
    providers = request.get("capacityProviders", [])
    capacity.check_providers(providers)
    capacity.check(request.get("defaultCapacityProviderStrategy", []), {"capacityProviders": providers})
    cluster = {
        "clusterName": name,
        "clusterArn": ctx.arn(f"cluster/{name}"),
        "status": "ACTIVE",
        "tags": request.get("tags", []),
        "settings": request.get("settings") or [{"name": "containerInsights", "value": "disabled"}],
        "configuration": request.get("configuration"),
        "capacityProviders": providers,
        "defaultCapacityProviderStrategy": request.get("defaultCapacityProviderStrategy", []),
        "serviceConnectDefaults": request.get("serviceConnectDefaults"),
    }
    CLUSTERS.put(ctx, cluster)
    return {"cluster": _described(ctx, cluster, {"TAGS", "SETTINGS", "CONFIGURATIONS"})}


@operation
async def describe_clusters(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html"""
    include = set(request.get("include", []))
    clusters, failures = [], []
    for named in request.get("clusters") or ["default"]:
        cluster = CLUSTERS.get(ctx, cluster_name(named))
        if cluster is None:
            failures.append({"arn": ctx.arn(f"cluster/{cluster_name(named)}"), "reason": "MISSING"})
        else:
            clusters.append(_described(ctx, cluster, include))
    return {"clusters": clusters, "failures": failures}


@operation
async def list_clusters(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListClusters.html"""
    names = [cluster["clusterName"] for cluster in CLUSTERS.list(ctx, status="ACTIVE")]
    chunk, token = page(
        names, request.get("maxResults", 100), request.get("nextToken"), str, "InvalidParameterException"
    )
    return {"clusterArns": [ctx.arn(f"cluster/{name}") for name in chunk], "nextToken": token}


@operation
async def update_cluster(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateCluster.html"""
    members = ("settings", "configuration", "serviceConnectDefaults")
    return _changed(ctx, request["cluster"], {key: request[key] for key in members if key in request})


@operation
async def update_cluster_settings(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateClusterSettings.html"""
    return _changed(ctx, request["cluster"], {"settings": request["settings"]})


@operation
async def put_cluster_capacity_providers(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html"""
    members = ("capacityProviders", "defaultCapacityProviderStrategy")
    capacity.check_providers(request["capacityProviders"])
    capacity.check(request["defaultCapacityProviderStrategy"], request)
    return _changed(ctx, request["cluster"], {key: request[key] for key in members})


@operation
async def delete_cluster(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html"""
    cluster = find_cluster(ctx, request["cluster"])
    name = cluster["clusterName"]
    if any(service["status"] != "INACTIVE" for service in SERVICES.list(ctx, name)):
        raise AwsError(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
        )
    if any(task["lastStatus"] != "STOPPED" for task in TASKS.list(ctx, name)):
        raise AwsError(
            "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."
        )
    cluster["status"] = "INACTIVE"
    CLUSTERS.put(ctx, cluster)
    return {"cluster": _described(ctx, cluster, set())}


def _changed(ctx: Context, named: str, changes: Body) -> Body:
    cluster = find_cluster(ctx, named)
    cluster.update(changes)
    CLUSTERS.put(ctx, cluster)
    return {"cluster": _described(ctx, cluster, {"TAGS", "SETTINGS", "CONFIGURATIONS"})}


def _described(ctx: Context, cluster: Body, include: set[str]) -> Body:
    """The cluster with its counts. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Cluster.html"""
    name = cluster["clusterName"]
    running = len(TASKS.list(ctx, name, lastStatus="RUNNING"))
    pending = sum(len(TASKS.list(ctx, name, lastStatus=status)) for status in ("PROVISIONING", "PENDING"))
    shown = {key: value for key, value in cluster.items() if value is not None}
    for option, member in (("TAGS", "tags"), ("SETTINGS", "settings"), ("CONFIGURATIONS", "configuration")):
        if option not in include:
            shown.pop(member, None)
    return {
        **shown,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": len(SERVICES.list(ctx, name, status="ACTIVE")),
        "statistics": _statistics(ctx, name) if "STATISTICS" in include else [],
    }


def _statistics(ctx: Context, cluster: str) -> list[Body]:
    """Counts by launch type."""
    tasks = [row for row in TASKS.list(ctx, cluster) if row["lastStatus"] != "STOPPED"]
    services = SERVICES.list(ctx, cluster)
    counts: dict[str, int] = {}
    for kind in ("EC2", "Fargate", "External"):
        own = [row for row in tasks if row["task"].get("launchType", "EC2") == kind.upper()]
        counts[f"running{kind}TasksCount"] = sum(row["lastStatus"] == "RUNNING" for row in own)
        counts[f"pending{kind}TasksCount"] = sum(row["lastStatus"] in STARTING for row in own)
        for status in ("ACTIVE", "DRAINING"):
            counts[f"{status.lower()}{kind}ServiceCount"] = sum(
                each["status"] == status and _launch_type(each["shown"]) == kind.upper() for each in services
            )
    return [{"name": name, "value": str(count)} for name, count in counts.items()]


def _launch_type(service: Body) -> str:
    return service.get("launchType") or ("FARGATE" if service.get("capacityProviderStrategy") else "EC2")
