"""ECS's types: AWS::ECS::*. A service is of use once its deployment is complete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, send, variables
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Made, Request
from homeport.engine.wire.errors import AwsError

_SERVICE = {"service": "id", "cluster": "properties.Cluster"}
_TAGS = Tags(
    Call("tag_resource", {"resourceArn": "attributes.Arn || id", "tags": "added"}, only=True),
    Call("untag_resource", {"resourceArn": "attributes.Arn || id", "tagKeys": "removed"}, only=True),
)
_PROVIDERS = {
    "cluster": "id",
    "capacityProviders": "properties.CapacityProviders || `[]`",
    "defaultCapacityProviderStrategy": "properties.DefaultCapacityProviderStrategy || `[]`",
}
_NO_PROVIDERS = {
    "cluster": "properties.Cluster",
    "capacityProviders": "`[]`",
    "defaultCapacityProviderStrategy": "`[]`",
}


_OF_TASK_SETS = (
    "TaskDefinition",
    "NetworkConfiguration",
    "LoadBalancers",
    "PlatformVersion",
    "LaunchType",
    "CapacityProviderStrategy",
    "ServiceRegistries",
)
_TASK_SET_KEY = {"cluster": "properties.Cluster", "service": "properties.Service"}
_TASK_SET_ARN = (
    "join('', ['arn:aws:ecs:', region, ':', account, ':task-set/', split(properties.Cluster, '/')[-1], '/', "
    "split(properties.Service, '/')[-1], '/', split(id, '|')[2]])"
)
_TASK_SET = {**_TASK_SET_KEY, "taskSet": "split(id, '|')[2]"}


class Service(Type):
    """AWS::ECS::Service: waits for the steady state, and fails with the deployment's reason."""

    async def update(self, request: Request) -> Made:
        """A service of CodeDeploy or of an external controller has long had other task sets than the template's: what
        did not change in the template is not asked for."""
        controller = request.properties.get("DeploymentController", {}).get("Type", "ECS")
        if controller == "ECS":
            return await super().update(request)
        same = {name for name in _OF_TASK_SETS if request.properties.get(name) == request.previous.get(name)}
        return await super().update(
            replace(
                request,
                properties=_without(request.properties, same),
                previous=_without(request.previous, same),
            )
        )

    async def settled(self, request: Request) -> Made | None:
        call = Call("describe_services", {"services": "[id]", "cluster": "properties.Cluster"}, only=True)
        answer = await send(request, "ecs", call, variables(request))
        if not answer.get("services"):
            raise AwsError("NotStabilized", f"Service {request.id} is not there.")
        service: dict[str, Any] = answer["services"][0]
        attributes = {"ServiceArn": service["serviceArn"], "Name": service["serviceName"]}
        if service["status"] != "ACTIVE":
            raise AwsError("NotStabilized", f"Service {service['serviceName']} is {service['status']}.")
        if _is_ours(service) and not _is_steady(service, request):
            return None
        return Made(request.id, attributes)


def _without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def _is_ours(service: dict[str, Any]) -> bool:
    """Whether ECS itself deploys; CodeDeploy's and external deployments are not waited for."""
    return service.get("deploymentController", {}).get("type", "ECS") == "ECS"


def _is_steady(service: dict[str, Any], request: Request) -> bool:
    """Whether the wanted deployment is complete. Raises AwsError when it has failed."""
    deployments = service.get("deployments", [])
    for deployment in deployments:
        if deployment.get("rolloutState") == "FAILED":
            reason = deployment.get("rolloutStateReason") or "ECS Deployment Circuit Breaker was triggered"
            raise AwsError("NotStabilized", f"Error occurred during operation '{reason}'.")
    primary = next((each for each in deployments if each["status"] == "PRIMARY"), None)
    if primary is None:
        return not deployments
    wanted = str(request.properties.get("TaskDefinition", ""))
    given_up = wanted.startswith("arn:") and primary["taskDefinition"] != wanted
    if given_up and primary.get("rolloutState") != "IN_PROGRESS":
        raise AwsError(
            "NotStabilized", "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'."
        )
    steady = service["runningCount"] == service["desiredCount"] and service.get("pendingCount", 0) == 0
    return len(deployments) == 1 and primary.get("rolloutState", "COMPLETED") == "COMPLETED" and steady


TYPES = (
    Type(
        "AWS::ECS::Cluster",
        "ecs",
        named="ClusterName",
        limit=255,
        create=Call("create_cluster", {"settings": "properties.ClusterSettings"}),
        id="name",
        read=Call("describe_clusters", {"clusters": "[id]"}, only=True),
        found="clusters[0]",
        attributes={"Arn": "read.clusterArn"},
        parts=(
            Put(
                Call("update_cluster", {"cluster": "id", "settings": "properties.ClusterSettings"}),
                ("ClusterSettings", "Configuration", "ServiceConnectDefaults"),
                at_creation=False,
            ),
            Put(
                Call("put_cluster_capacity_providers", _PROVIDERS, only=True),
                ("CapacityProviders", "DefaultCapacityProviderStrategy"),
                at_creation=False,
            ),
            _TAGS,
        ),
        delete=Call("delete_cluster", {"cluster": "id"}, only=True),
    ),
    Type(
        "AWS::ECS::TaskDefinition",
        "ecs",
        named="Family",
        limit=255,
        create=Call("register_task_definition", once=True),
        id="response.taskDefinition.taskDefinitionArn",
        attributes={"TaskDefinitionArn": "id"},
        parts=(_TAGS,),
        delete=Call("deregister_task_definition", {"taskDefinition": "id"}, only=True),
    ),
    Service(
        "AWS::ECS::Service",
        "ecs",
        named="ServiceName",
        limit=255,
        create=Call(
            "create_service",
            {"clientToken": "token", "placementStrategy": "properties.PlacementStrategies"},
        ),
        id="response.service.serviceArn",
        read=Call("describe_services", {"services": "[id]", "cluster": "properties.Cluster"}, only=True),
        found="services[0]",
        parts=(
            Tags(
                Call("tag_resource", {"resourceArn": "id", "tags": "added"}, only=True),
                Call("untag_resource", {"resourceArn": "id", "tagKeys": "removed"}, only=True),
            ),
            Put(
                Call(
                    "update_service",
                    {
                        **_SERVICE,
                        "placementStrategy": "properties.PlacementStrategies",
                        "forceNewDeployment": "properties.ForceNewDeployment.EnableForceNewDeployment",
                        "loadBalancers": "properties.LoadBalancers != previous.LoadBalancers && "
                        "(properties.LoadBalancers || `[]`) || `null`",
                    },
                ),
                at_creation=False,
            ),
        ),
        delete=Call("delete_service", {**_SERVICE, "force": "`true`"}, only=True),
        deleted="!@ || status == 'INACTIVE'",
    ),
    Type(
        "AWS::ECS::TaskSet",
        "ecs",
        create=Call("create_task_set", {"clientToken": "token"}),
        id="join('|', [properties.Cluster, properties.Service, response.taskSet.id])",
        read=Call("describe_task_sets", {**_TASK_SET_KEY, "taskSets": "[split(id, '|')[2]]"}, only=True),
        found="taskSets[0]",
        attributes={"Id": "split(id, '|')[2]"},
        ready="stabilityStatus == 'STEADY_STATE'",
        parts=(
            Put(
                Call("update_task_set", {**_TASK_SET, "scale": "properties.Scale"}, only=True),
                ("Scale",),
                at_creation=False,
            ),
            Tags(
                Call("tag_resource", {"resourceArn": _TASK_SET_ARN, "tags": "added"}, only=True),
                Call("untag_resource", {"resourceArn": _TASK_SET_ARN, "tagKeys": "removed"}, only=True),
            ),
        ),
        delete=Call("delete_task_set", {**_TASK_SET, "force": "`true`"}, only=True),
        deleted="!@",
    ),
    Type(
        "AWS::ECS::PrimaryTaskSet",
        "ecs",
        create=Call("update_service_primary_task_set", {"primaryTaskSet": "properties.TaskSetId"}),
        id="join('|', [properties.Cluster, properties.Service])",
        parts=(
            Put(
                Call("update_service_primary_task_set", {"primaryTaskSet": "properties.TaskSetId"}),
                ("TaskSetId",),
                at_creation=False,
            ),
        ),
    ),
    Type(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "ecs",
        create=Call("put_cluster_capacity_providers"),
        id="properties.Cluster",
        parts=(Put(Call("put_cluster_capacity_providers"), at_creation=False),),
        delete=Call("put_cluster_capacity_providers", _NO_PROVIDERS, only=True),
    ),
)
