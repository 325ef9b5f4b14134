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
_GIVEN_UP = "is unable to consistently start tasks successfully"
"""What ECS's service events say of a task set whose tasks fail again and again."""
_TASK_SET = {**_TASK_SET_KEY, "taskSet": "split(id, '|')[2]"}


class Service(Type):
    """AWS::ECS::Service: waits for the end of the deployment that it begins, and fails with its reason."""

    async def update(self, request: Request) -> Made:
        """A service of CodeDeploy or of an external controller has long had other task sets than the template's: what
        did not change in the template is not asked for."""
        if not _is_ours(request.properties):
            same = {
                name for name in _OF_TASK_SETS if request.properties.get(name) == request.previous.get(name)
            }
            return await super().update(
                replace(
                    request,
                    properties=_without(request.properties, same),
                    previous=_without(request.previous, same),
                )
            )
        before = None if request.resumed else await _newest(request)
        made = await super().update(request)
        after = await _newest(request)
        return Made(made.id, made.attributes | {_BEGUN: "" if after == before else after})

    async def settled(self, request: Request) -> Made | None:
        answer = await _ask(request, "describe_services", {"services": "[id]"})
        if not answer.get("services"):
            raise AwsError("NotStabilized", f"Service {request.id} is not there.")
        service: dict[str, Any] = answer["services"][0]
        attributes = {"ServiceArn": service["serviceArn"], "Name": service["serviceName"]}
        if service["status"] != "ACTIVE":
            raise AwsError("NotStabilized", f"Service {service['serviceName']} is {service['status']}.")
        if _is_ours(request.properties):
            begun = request.attributes[_BEGUN] if _BEGUN in request.attributes else await _newest(request)
            if not (await _is_over(request, begun) and _is_steady(service)):
                return None
        return Made(request.id, attributes)


_BEGUN = "_ServiceDeployment"
"""The attribute that remembers, until the service is steady, which deployment an update has begun; empty for none."""


def _without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def _is_ours(properties: dict[str, Any]) -> bool:
    """Whether ECS itself deploys; CodeDeploy's and external deployments are not waited for."""
    return properties.get("DeploymentController", {}).get("Type", "ECS") == "ECS"


async def _newest(request: Request) -> str:
    """The ARN of the service's newest deployment; empty when it has none."""
    answer = await _ask(request, "list_service_deployments", {"service": "id"})
    return next((each["serviceDeploymentArn"] for each in answer.get("serviceDeployments", [])), "")


async def _is_over(request: Request, arn: str) -> bool:
    """Whether a deployment has succeeded; there may be none. Raises AwsError when it has failed."""
    if not arn:
        return True
    answer = await _ask(request, "describe_service_deployments", {"serviceDeploymentArns": f"['{arn}']"})
    deployment = answer["serviceDeployments"][0]
    if deployment["status"] in ("PENDING", "IN_PROGRESS"):
        return False
    if deployment["status"] != "SUCCESSFUL":
        reason = deployment.get("statusReason") or "ECS Deployment Circuit Breaker was triggered"
        raise AwsError("NotStabilized", f"Error occurred during operation '{reason}'.")
    return True


async def _ask(request: Request, operation: str, parameters: dict[str, str]) -> dict[str, Any]:
    of_cluster = {} if operation == "describe_service_deployments" else {"cluster": "properties.Cluster"}
    call = Call(operation, parameters | of_cluster, only=True)
    return await send(request, "ecs", call, variables(request))


def _is_steady(service: dict[str, Any]) -> bool:
    return service["runningCount"] == service["desiredCount"] and not service.get("pendingCount")


class TaskSet(Type):
    """AWS::ECS::TaskSet: waits for the steady state, and fails once its tasks fail again and again."""

    async def settled(self, request: Request) -> Made | None:
        made = await super().settled(request)
        if made is None:
            await _check_tasks_start(request)
        return made


async def _check_tasks_start(request: Request) -> None:
    """Raise NotStabilized when ECS has given up on a task set. Who may not look at the service waits on."""
    members = {"services": "[properties.Service]", "cluster": "properties.Cluster"}
    try:
        answer = await send(request, "ecs", Call("describe_services", members, only=True), variables(request))
    except AwsError:
        return
    about = f"taskSet {request.id.rpartition('|')[2]})"
    for event in (event for service in answer["services"] for event in service.get("events", [])):
        if about in event["message"] and _GIVEN_UP in event["message"]:
            raise AwsError("NotStabilized", event["message"])


TYPES = (
    Type(
        "AWS::ECS::Cluster",
        "ecs",
        named="ClusterName",
        limit=255,
        create=Call("create_cluster", {"settings": "properties.ClusterSettings"}),
        id="name",
        present=Call("describe_clusters", {"clusters": "[name]"}, only=True),
        present_if="where(response.clusters, 'status', 'ACTIVE')",
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
    TaskSet(
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
