"""Deployments by CodeDeploy that are under way, told like those that ECS itself makes."""

from __future__ import annotations

from typing import Any

from homeport.cli.deployments import Deployment

RUNNING = {
    "Created": "PENDING",
    "Queued": "PENDING",
    "InProgress": "IN_PROGRESS",
    "Baking": "IN_PROGRESS",
    "Ready": "IN_PROGRESS",
}
"""The statuses of deployments that are under way, in ECS's words."""


def groups_of(declared: dict[str, Any], stage: str | None = None) -> list[tuple[str, str]]:
    """Application and deployment group of the CodeDeploy actions of a pipeline's declaration (or of one stage)."""
    return [
        (action["configuration"]["ApplicationName"], action["configuration"]["DeploymentGroupName"])
        for each in declared["stages"]
        for action in each["actions"]
        if action["actionTypeId"]["provider"] == "CodeDeployToECS" and stage in (None, each["name"])
    ]


def services_of(codedeploy: Any, application: str, group: str) -> list[tuple[str, str]]:
    """Cluster and name of the services that a group deploys to."""
    described = codedeploy.get_deployment_group(applicationName=application, deploymentGroupName=group)
    services = described["deploymentGroupInfo"].get("ecsServices", [])
    return [(each["clusterName"], each["serviceName"]) for each in services]


def running(codedeploy: Any, application: str, group: str) -> Deployment | None:
    """The group's deployment that is under way; None when none is, or when the group is not there yet."""
    unseen = (
        codedeploy.exceptions.ApplicationDoesNotExistException,
        codedeploy.exceptions.DeploymentGroupDoesNotExistException,
    )
    try:
        found = codedeploy.list_deployments(
            applicationName=application, deploymentGroupName=group, includeOnlyStatuses=list(RUNNING)
        )["deployments"]
    except unseen:
        return None
    return _told(codedeploy, found[0]) if found else None


def take_back(codedeploy: Any, id: str) -> None:
    """Stop a deployment that is under way, and roll it back."""
    codedeploy.stop_deployment(deploymentId=id, autoRollbackEnabled=True)


def _told(codedeploy: Any, id: str) -> Deployment | None:
    info = codedeploy.get_deployment(deploymentId=id)["deploymentInfo"]
    targets = codedeploy.list_deployment_targets(deploymentId=id)["targetIds"]
    if info["status"] not in RUNNING or not targets:
        return None
    target = codedeploy.get_deployment_target(deploymentId=id, targetId=targets[0])["deploymentTarget"]
    shown = target["ecsTarget"]
    events = {each["lifecycleEventName"]: each["status"] for each in shown["lifecycleEvents"]}
    green: dict[str, Any] = next(
        (each for each in shown["taskSetsInfo"] if each.get("taskSetLabel") == "Green"), {}
    )
    cluster, _, service = shown["targetId"].partition(":")
    stage = _stage(events)
    return Deployment(
        cluster=cluster,
        service=service,
        arn=id,
        status=RUNNING[info["status"]],
        strategy=info["deploymentConfigName"].removeprefix("CodeDeployDefault."),
        stage=stage,
        tasks=f"{green.get('runningCount', 0)} of {green.get('desiredCount', 0)}",
        waits=_waits(info, stage, events.get(stage, "")),
        production=green.get("trafficWeight", 0.0),
        test=100.0 if events.get("AllowTestTraffic") == "Succeeded" else 0.0,
        controller="CODE_DEPLOY",
        commands=tuple(_commands(info, stage)),
    )


def _stage(events: dict[str, str]) -> str:
    """The lifecycle event that runs; between two, the one before."""
    begun = [name for name, status in events.items() if status in ("InProgress", "Succeeded")]
    running = [name for name in begun if events[name] == "InProgress"]
    return (running or begun[-1:] or ["Created"])[0]


def _waits(info: dict[str, Any], stage: str, status: str) -> str:
    options = info.get("blueGreenDeploymentConfiguration", {})
    if info["status"] == "Ready":
        ready = options.get("deploymentReadyOption", {})
        then = "it stops" if ready.get("actionOnTimeout") == "STOP_DEPLOYMENT" else "it goes on"
        return f"your answer; without one {then} after {ready.get('waitTimeInMinutes', 0)} minutes"
    if status == "InProgress":
        return {"Install": "new tasks", "AllowTraffic": "the next step of its configuration"}.get(
            stage, f"the function of {stage}"
        )
    if stage == "AfterAllowTraffic":
        blue = options.get("terminateBlueInstancesOnDeploymentSuccess", {})
        return (
            f"the old tasks, which stop {blue.get('terminationWaitTimeInMinutes', 0)} minutes after the shift"
        )
    return ""


def _commands(info: dict[str, Any], stage: str) -> list[tuple[str, str]]:
    """How to go on where a person may, and back."""
    wait = {"Ready": "READY_WAIT"}.get(
        info["status"], "TERMINATION_WAIT" if stage == "AfterAllowTraffic" else ""
    )
    command = (
        f"aws deploy continue-deployment --deployment-id {info['deploymentId']} --deployment-wait-type {wait}"
    )
    return [*([("go on", command)] if wait else []), ("go back", "homeport rollback")]
