"""Deployments of ECS services that are under way: how far they are, what they wait for, and how to go on or back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RUNNING = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
STOPPABLE = ("PENDING", "IN_PROGRESS")
_TASKS = {
    "RECONCILE_SERVICE": "tasks of an earlier deployment that drain",
    "SCALE_UP": "new tasks",
    "CLEAN_UP": "tasks that drain",
}
"""What is waited for in stages whose hooks are not."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A service deployment, or one of CodeDeploy, as `controller` says; `arn` is its id then. `production` and `test`
    are the new version's shares of the traffic in percent, None for a rolling deployment; `waits` says what for, and
    `hook` is the pause that waits for a person's answer; `commands` are how to go on, and back."""

    cluster: str
    service: str
    arn: str
    status: str
    strategy: str
    stage: str
    tasks: str
    waits: str
    production: float | None = None
    test: float | None = None
    reason: str = ""
    hook: str = ""
    controller: str = "ECS"
    commands: tuple[tuple[str, str], ...] = ()


def services_of(declared: dict[str, Any], stage: str | None = None) -> list[tuple[str, str]]:
    """Cluster and name of the services that the ECS actions of a pipeline's declaration (or of one of its stages)
    deploy to."""
    return [
        (action["configuration"]["ClusterName"], action["configuration"]["ServiceName"])
        for each in declared["stages"]
        for action in each["actions"]
        if action["actionTypeId"]["provider"] == "ECS" and stage in (None, each["name"])
    ]


def running(ecs: Any, cluster: str, service: str) -> Deployment | None:
    """The service's deployment that is under way; None when none is, when the service is not there yet, or when the
    caller may not see it."""
    unseen = (
        ecs.exceptions.ClusterNotFoundException,
        ecs.exceptions.ServiceNotFoundException,
        ecs.exceptions.AccessDeniedException,
    )
    try:
        return under_way(ecs, cluster, service)
    except unseen:
        return None


def under_way(ecs: Any, cluster: str, service: str) -> Deployment | None:
    """The service's deployment that is under way; None when none is."""
    found = ecs.list_service_deployments(cluster=cluster, service=service, status=list(RUNNING))
    arns = [each["serviceDeploymentArn"] for each in found["serviceDeployments"]][:1]
    if not arns:
        return None
    body = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"][0]
    configuration = body.get("deploymentConfiguration", {})
    target = body.get("targetServiceRevision", {})
    strategy = configuration.get("strategy", "ROLLING")
    shifts = strategy != "ROLLING"
    return Deployment(
        cluster=cluster,
        service=service,
        arn=arns[0],
        status=body["status"],
        strategy=strategy,
        stage=body.get("lifecycleStage", ""),
        tasks=f"{target.get('runningTaskCount', 0)} of {target.get('requestedTaskCount', 0)}",
        waits=_waits(body, configuration),
        production=target.get("requestedProductionTrafficWeight") if shifts else None,
        test=target.get("requestedTestTrafficWeight") if shifts else None,
        reason=body.get("statusReason", ""),
        hook=next((hook["hookId"] for hook in _unanswered(body)), ""),
        commands=tuple(_commands(body)),
    )


def take_back(ecs: Any, arn: str) -> None:
    """Roll a deployment back that is under way."""
    ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")


def go_on(ecs: Any, arn: str, hook: str) -> None:
    """Let a deployment go on that waits at a pause."""
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook, action="CONTINUE")


def _waits(body: dict[str, Any], configuration: dict[str, Any]) -> str:
    for hook in body.get("lifecycleHookDetails", []):
        if hook["status"] == "AWAITING_ACTION":
            then = "it goes back" if hook["timeoutAction"] == "ROLLBACK" else "it goes on"
            return f"your answer; without one {then} at {_time(hook['expiresAt'])}"
        if hook["status"] == "IN_PROGRESS":
            return f"the function {hook['targetArn'].rpartition(':')[2]}"
    stage = body.get("lifecycleStage")
    bake = configuration.get("bakeTimeInMinutes") or 0
    if stage == "BAKE_TIME" and bake:
        return f"the bake time, until {_time(body['updatedAt'] + timedelta(minutes=bake))}"
    if stage == "PRODUCTION_TRAFFIC_SHIFT" and not body["status"].startswith("ROLLBACK"):
        return _step(body, configuration)
    return _TASKS.get(str(stage), "")


def _step(body: dict[str, Any], configuration: dict[str, Any]) -> str:
    """The bake time of a canary or of a linear step."""
    canary, linear = (
        configuration.get("canaryConfiguration", {}),
        configuration.get("linearConfiguration", {}),
    )
    minutes = canary.get("canaryBakeTimeInMinutes") or linear.get("stepBakeTimeInMinutes") or 0
    if not minutes:
        return ""
    return f"the bake time of this step, until {_time(body['updatedAt'] + timedelta(minutes=minutes))}"


def _commands(body: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for hook in _unanswered(body):
        arn = body["serviceDeploymentArn"]
        command = (
            f"aws ecs continue-service-deployment --service-deployment-arn {arn} --hook-id {hook['hookId']}"
        )
        found.append(("go on", command))
    if body["status"] in STOPPABLE:
        found.append(("go back", "homeport rollback"))
    return found


def _unanswered(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The pauses that wait for an answer."""
    return [each for each in body.get("lifecycleHookDetails", []) if each["status"] == "AWAITING_ACTION"]


def _time(moment: datetime) -> str:
    """The time of day, with the day if it is not today's."""
    local = moment.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")
