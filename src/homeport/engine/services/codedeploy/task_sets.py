"""The task sets of a deployment: the original one (blue), and the replacement (green).
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.engine.services.codedeploy import traffic
from homeport.engine.services.codedeploy.deploying import Deploying
from homeport.engine.services.codedeploy.failure import DeploymentFailed

Body = dict[str, Any]

TIMEOUT_SECONDS = 3600.0
LOOK_SECONDS = 5.0
"""How often the replacement is looked at though ECS does not tell of it."""
_GIVEN_UP = "is unable to consistently start tasks successfully"
"""What ECS's service events say of a task set whose tasks fail again and again."""


async def find(deploying: Deploying) -> Body:
    """`blue` and `green`: their target groups, and the task set that there is. Raises DeploymentFailed when the
    service, its load balancer and the deployment group do not fit together."""
    service = await _service(deploying)
    sets = service.get("taskSets", [])
    primary = next((each for each in sets if each["status"] == "PRIMARY"), None)
    if primary is None:
        raise DeploymentFailed(
            "INVALID_ECS_SERVICE", f"The ECS service {service['serviceName']} has no primary task set."
        )
    groups = await traffic.target_groups(deploying)
    serving = {each["targetGroupArn"] for each in primary.get("loadBalancers", [])}
    blue = next((each for each in groups if each["TargetGroupArn"] in serving), None)
    if blue is None:
        raise DeploymentFailed(
            "INVALID_ECS_SERVICE",
            f"The primary task set {primary['id']} has none of the target groups of the deployment group.",
        )
    green = next(each for each in groups if each is not blue)
    for listener in filter(None, (traffic.production(deploying), traffic.test(deploying))):
        await traffic.check_behind(deploying, listener, blue["TargetGroupArn"])
    return {
        "blue": {**_side(blue), "taskSet": primary["id"]},
        "green": _side(green),
        "serviceArn": service["serviceArn"],
        "leftovers": [each["id"] for each in sets if each["status"] == "ACTIVE"],
    }


def _side(group: Body) -> Body:
    return {"group": group["TargetGroupArn"], "name": group["TargetGroupName"]}


async def create(deploying: Deploying, spec: Body, found: Body) -> str:
    """Make the replacement task set: what the AppSpec file says, else as the original one is. Returns its id."""
    sets = (await _service(deploying))["taskSets"]
    blue = next(each for each in sets if each["id"] == found["blue"]["taskSet"])
    launch = {
        member: blue.get(member) for member in ("launchType", "capacityProviderStrategy", "platformVersion")
    }
    if "capacityProviderStrategy" in spec:
        launch |= {"launchType": None, "capacityProviderStrategy": spec["capacityProviderStrategy"]}
    balancer = {
        "targetGroupArn": found["green"]["group"],
        "containerName": spec["containerName"],
        "containerPort": spec["containerPort"],
    }
    answer = await deploying.call(
        "ecs",
        "create_task_set",
        **named(deploying),
        taskDefinition=spec["taskDefinition"],
        externalId=deploying.id,
        clientToken=deploying.x.token("task set"),
        networkConfiguration=spec.get("networkConfiguration") or blue.get("networkConfiguration"),
        loadBalancers=[balancer],
        serviceRegistries=blue.get("serviceRegistries") or None,
        **{**launch, "platformVersion": spec.get("platformVersion") or launch["platformVersion"]},
        scale={"value": 100.0, "unit": "PERCENT"},
    )
    id: str = answer["taskSet"]["id"]
    return id


async def until_steady(deploying: Deploying, id: str, deadline: float) -> None:
    """Wait until the task set's tasks are healthy. Raises DeploymentFailed at the deadline, and as soon as ECS says
    that they fail again and again, with ECS's own reason."""

    async def steady() -> bool | None:
        service = await _service(deploying)
        task_set = next((each for each in service["taskSets"] if each["id"] == id), None)
        if task_set is None:
            raise DeploymentFailed("ECS_UPDATE_ERROR", f"The replacement task set {id} was deleted.")
        for event in service.get("events", []):
            if f"taskSet {id})" in event["message"] and _GIVEN_UP in event["message"]:
                raise DeploymentFailed(
                    "ECS_UPDATE_ERROR",
                    f"The replacement task set did not become healthy: {event['message']}",
                )
        return True if task_set["stabilityStatus"] == "STEADY_STATE" else None

    try:
        await deploying.until(steady, [_topic(deploying)], LOOK_SECONDS, deadline)
    except TimeoutError:
        raise DeploymentFailed(
            "TIMEOUT",
            "The deployment timed out while waiting for the replacement task set to become healthy. This time out "
            "period is 60 minutes.",
        ) from None


def _topic(deploying: Deploying) -> str:
    """What ECS notifies when a task set becomes steady, or fails."""
    where = named(deploying)
    return f"ecs.task_sets:{where['cluster']}/{where['service']}"


async def make_primary(deploying: Deploying, id: str) -> None:
    """Let ECS know which task set serves."""
    await deploying.call("ecs", "update_service_primary_task_set", **named(deploying), primaryTaskSet=id)


async def delete(deploying: Deploying, ids: Iterable[str]) -> None:
    """Delete task sets, whatever runs in them; those that are gone are deleted."""
    known = {each["id"] for each in (await _service(deploying)).get("taskSets", [])}
    for id in ids:
        if id in known:
            await deploying.call("ecs", "delete_task_set", **named(deploying), taskSet=id, force=True)


def named(deploying: Deploying) -> dict[str, str]:
    """The service that is deployed to."""
    service = deploying.group["ecsServices"][0]
    return {"cluster": service["clusterName"], "service": service["serviceName"]}


async def _service(deploying: Deploying) -> Body:
    where = named(deploying)
    answer = await deploying.call(
        "ecs", "describe_services", cluster=where["cluster"], services=[where["service"]]
    )
    found: list[Body] = [each for each in answer["services"] if each["status"] == "ACTIVE"]
    if not found:
        raise DeploymentFailed(
            "INVALID_ECS_SERVICE",
            f"The ECS service {where['service']} was not found in the cluster {where['cluster']}.",
        )
    if found[0].get("deploymentController", {}).get("type") != "CODE_DEPLOY":
        raise DeploymentFailed(
            "INVALID_ECS_SERVICE",
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        )
    return found[0]
