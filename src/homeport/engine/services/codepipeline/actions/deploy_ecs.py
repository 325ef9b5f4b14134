"""Deploy ECS: gives the service a task definition revision with the images of `imagedefinitions.json`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html

The action follows the deployment that it caused, and ends as soon as that one has: with the deployment's own
reason when the circuit breaker or an alarm failed it, or another deployment took its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import artifacts
from homeport.engine.services.codepipeline.actions import image_definitions
from homeport.engine.services.codepipeline.actions.contract import (
    HOUR,
    MINUTE,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


async def _run(running: Running) -> ActionResult:
    configuration = running.configuration
    cluster, service = configuration["ClusterName"], configuration["ServiceName"]
    if minutes := configuration.get("DeploymentTimeout"):
        running.deadline = running.row["startTime"] + float(minutes) * MINUTE
    images = await running.x.step("images", lambda: _images(running))
    revision = await running.x.step("revision", lambda: _register(running, cluster, service, images))
    deployment = await running.x.step("update", lambda: _update(running, cluster, service, revision))
    await running.external(deployment, _url(running, cluster, service), "Deployment in progress")
    summary = await running.until(
        lambda: _ended(running, cluster, service, deployment, revision), [f"ecs.deployment:{deployment}"], 0.5
    )
    return ActionResult(summary=summary)


async def _images(running: Running) -> dict[str, str]:
    name = running.configuration.get("FileName") or "imagedefinitions.json"
    artifact = running.inputs[0]
    with running.folder() as folder:
        file = await running.download(artifact, folder)
        content = await artifacts.member(file, name)
    if content is None:
        raise ActionFailed(
            f"Did not find the image definition file {name} in the input artifacts ZIP file. Verify the file is "
            f"stored in your pipeline's Amazon S3 artifact bucket: {artifact.bucket} key: {artifact.key}",
            code="ConfigurationError",
        )
    return image_definitions.parse(content, name)


async def _register(running: Running, cluster: str, service: str, images: dict[str, str]) -> str:
    """The revision of the service's task definition with these images; a repeated step finds the one that it made."""
    ecs = running.client("ecs")
    current = (await _service(running, cluster, service))["taskDefinition"]
    answer = await ecs.describe_task_definition(taskDefinition=current, include=["TAGS"])
    request = image_definitions.new_revision(answer["taskDefinition"], images)
    newest = (await ecs.describe_task_definition(taskDefinition=request["family"]))["taskDefinition"]
    if newest["registeredAt"] >= running.row["startTime"] and all(
        newest.get(key) == value for key, value in request.items()
    ):
        return newest["taskDefinitionArn"]
    if tags := answer.get("tags"):
        request["tags"] = tags
    registered = await ecs.register_task_definition(**request)
    return registered["taskDefinition"]["taskDefinitionArn"]


async def _update(running: Running, cluster: str, service: str, revision: str) -> str:
    """The id of the deployment to the revision; a repeated step finds the one that is there."""
    known = await _service(running, cluster, service)
    if known["taskDefinition"] != revision:
        answer = await running.client("ecs").update_service(
            cluster=cluster, service=service, taskDefinition=revision
        )
        known = answer["service"]
    return _primary(known)["id"]


async def _ended(running: Running, cluster: str, service: str, deployment: str, revision: str) -> str | None:
    known = await _service(running, cluster, service)
    mine = next((one for one in known.get("deployments", ()) if one["id"] == deployment), None)
    if mine is None:
        primary = _primary(known)
        if primary["taskDefinition"] == revision and primary.get("rolloutState") == "COMPLETED":
            return f"Deployment {deployment} succeeded"
        raise ActionFailed(
            f"Deployment {deployment} was replaced by deployment {primary['id']} of {primary['taskDefinition']}"
            + _reason(known, deployment)
        )
    state = mine.get("rolloutState", "IN_PROGRESS")
    if state == "FAILED":
        raise ActionFailed(
            f"Deployment {deployment} failed: {mine.get('rolloutStateReason', '')}{_events(known)}"
        )
    if state == "COMPLETED":
        return f"Deployment {deployment} succeeded"
    running.note(
        summary=f"Deployment in progress: {mine['runningCount']} of {mine['desiredCount']} tasks running"
    )
    return None


async def _service(running: Running, cluster: str, service: str) -> dict[str, Any]:
    answer = await running.client("ecs").describe_services(cluster=cluster, services=[service])
    found = [one for one in answer["services"] if one["status"] == "ACTIVE"]
    if not found:
        raise ActionFailed(
            f"The Amazon ECS service '{service}' does not exist in the cluster '{cluster}'",
            code="ConfigurationError",
        )
    return found[0]


def _primary(service: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in service["deployments"] if one["status"] == "PRIMARY")


def _reason(service: dict[str, Any], deployment: str) -> str:
    told = [event["message"] for event in service.get("events", ()) if deployment in event["message"]]
    return f": {told[0]}" if told else ""


def _events(service: dict[str, Any]) -> str:
    """The newest service event that tells of a failure: why no task became healthy."""
    words = ("unhealthy", "failed", "unable", "stopped")
    told = [one["message"] for one in service.get("events", ())[:10]]
    found = next((message for message in told if any(word in message for word in words)), None)
    return f" Last event: {found}" if found else ""


def _url(running: Running, cluster: str, service: str) -> str:
    return (
        f"https://console.aws.amazon.com/ecs/v2/clusters/{cluster}/services/{service}/deployments"
        f"?region={running.region}"
    )


PROVIDER = ActionProvider(
    type=ActionTypeId("Deploy", "AWS", "ECS"),
    inputs=(1, 1),
    outputs=(0, 0),
    properties=(
        Property("ClusterName", True),
        Property("ServiceName", True),
        Property("FileName", default="imagedefinitions.json"),
        Property("DeploymentTimeout"),
    ),
    run=_run,
    timeout=HOUR,
)
