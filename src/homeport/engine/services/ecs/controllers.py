"""The deployment controller of a service decides who brings it forward: ECS itself by deployments, CodeDeploy or
somebody else by task sets.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentController.html"""

from __future__ import annotations

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import scheduler, service_rows, task_set_scheduler, task_sets
from homeport.engine.services.ecs.service_rows import alive
from homeport.engine.services.ecs.tables import SERVICES
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.services.ecs.task_sets import controller, has_task_sets
from homeport.engine.wire.errors import AwsError

_OF_TASK_SETS = {
    "taskDefinition": "task definition",
    "networkConfiguration": "network parameters",
    "loadBalancers": "load balancers",
    "platformVersion": "platform version",
    "launchType": "launch type",
    "capacityProviderStrategy": "capacity provider strategy",
    "serviceRegistries": "service registries",
}
"""What a task set has of its own, in the words of AWS's refusals."""
_INSTEAD = {
    "CODE_DEPLOY": "Use AWS CodeDeploy to trigger a new deployment.",
    "EXTERNAL": "Create a new task set instead.",
}


async def reconcile(ctx: Context, key: str) -> float | None:
    """Look at one service, as its controller demands."""
    service = SERVICES.get(ctx, *key.split("/"))
    if service is not None and has_task_sets(service):
        return await task_set_scheduler.reconcile(ctx, key)
    return await scheduler.reconcile(ctx, key)


def described(ctx: Context, service: Body) -> Body:
    """The service as AWS shows it, with its task sets in place of deployments when it has those."""
    shown = service_rows.described(ctx, service)
    if not has_task_sets(service):
        return shown
    rows = alive(ctx, service)
    sets = [
        task_sets.described(ctx, service, each, rows)
        for each in task_sets.task_sets(ctx, service)
        if service["status"] != "INACTIVE"
    ]
    return {**shown, "deployments": [], "taskSets": sets}


def check_creation(request: Body) -> None:
    """Raise InvalidParameterException for a new service that its controller does not take."""
    type = request.get("deploymentController", {}).get("type", "ECS")
    if type not in ("ECS", *_INSTEAD):
        raise AwsError("InvalidParameterException", f"Unknown deployment controller {type}.")
    if type == "ECS":
        return
    if request.get("schedulingStrategy") == "DAEMON":
        raise AwsError(
            "InvalidParameterException",
            f"The DAEMON scheduling strategy is not supported with the {type} deployment controller.",
        )
    configuration = request.get("deploymentConfiguration", {})
    if (configuration.get("deploymentCircuitBreaker") or {}).get("enable"):
        raise AwsError(
            "InvalidParameterException",
            "DeploymentCircuitBreaker feature can only be enabled with ECS deployment controller.",
        )
    if (configuration.get("alarms") or {}).get("enable"):
        raise AwsError(
            "InvalidParameterException",
            "DeploymentAlarms feature can only be enabled with ECS deployment controller.",
        )
    if configuration.get("strategy", "ROLLING") != "ROLLING":
        raise AwsError(
            "InvalidParameterException",
            f"The deployment strategy {configuration['strategy']} needs the ECS deployment controller.",
        )
    if type == "CODE_DEPLOY" and len(request.get("loadBalancers", [])) != 1:
        raise AwsError(
            "InvalidParameterException",
            "A service with the CODE_DEPLOY deployment controller needs exactly one load balancer.",
        )
    if type == "EXTERNAL":
        _refuse_task_set_settings(request)


def _refuse_task_set_settings(request: Body) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html: an external controller's
    service takes only what is not controlled at the level of task sets."""
    given = sorted(member for member in _OF_TASK_SETS if request.get(member))
    if given:
        raise AwsError(
            "InvalidParameterException",
            f"Services with an EXTERNAL deployment controller do not take {', '.join(given)}: give them to "
            "CreateTaskSet.",
        )


def check_update(service: Body, request: Body) -> None:
    """Raise InvalidParameterException for what UpdateService does not change of a service with task sets. A member
    that is given as it is changes nothing."""
    asked = request.get("deploymentController", {}).get("type", controller(service))
    if asked != controller(service):
        raise AwsError(
            "UnsupportedFeatureException",
            f"homeport does not change the deployment controller of a service: it is {controller(service)}.",
        )
    if not has_task_sets(service):
        return
    on = f"on services with a {controller(service)} deployment controller. {_INSTEAD[controller(service)]}"
    if request.get("forceNewDeployment"):
        raise AwsError("InvalidParameterException", f"Cannot force a new deployment {on}")
    for member, words in _OF_TASK_SETS.items():
        if member in request and not _same(member, request[member], service["shown"].get(member)):
            raise AwsError("InvalidParameterException", f"Unable to update {words} {on}")


def _same(member: str, given: object, known: object) -> bool:
    if member == "taskDefinition":
        return str(known).endswith(f"/{str(given).rpartition('/')[2]}")
    return (given or None) == (known or None)
