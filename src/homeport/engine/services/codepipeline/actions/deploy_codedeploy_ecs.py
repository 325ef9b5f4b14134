"""Deploy CodeDeployToECS: registers a task definition with the images of the input artifacts, and deploys it by
CodeDeploy.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html

The action follows its deployment, and fails as soon as that does, with the deployment's own reason.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import artifacts
from homeport.engine.services.codepipeline.actions.contract import (
    DAY,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)
from homeport.engine.services.codepipeline.actions.image_definitions import ANSWERED_ONLY
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

IMAGES = 4
TASK_DEFINITION = "<TASK_DEFINITION>"


async def _run(running: Running) -> ActionResult:
    x = running.x
    files = await x.step("files", lambda: _files(running))
    definition = await x.step("task definition", lambda: _register(running, files["taskDefinition"]))
    appspec = files["appspec"].replace(TASK_DEFINITION, definition)
    id = await x.step("deployment", lambda: _deploy(running, appspec))
    await running.external(id, _url(running, id), "Deployment in progress")
    summary = await running.until(lambda: _ended(running, id), every=0.5)
    return ActionResult(summary=summary, variables={"DeploymentId": id})


async def _files(running: Running) -> dict[str, str]:
    """The task definition with its images, and the AppSpec file as it is in its artifact."""
    configuration = running.configuration
    appspec = await _file(
        running,
        "appspec",
        configuration["AppSpecTemplateArtifact"],
        configuration.get("AppSpecTemplatePath") or "appspec.yaml",
    )
    definition = await _file(
        running,
        "task definition",
        configuration["TaskDefinitionTemplateArtifact"],
        configuration.get("TaskDefinitionTemplatePath") or "taskdef.json",
    )
    for number in range(1, IMAGES + 1):
        if artifact := configuration.get(f"Image{number}ArtifactName"):
            placeholder = configuration.get(f"Image{number}ContainerName")
            if not placeholder:
                raise ActionFailed(
                    f"Image{number}ContainerName is required with Image{number}ArtifactName",
                    code="ConfigurationError",
                )
            definition = definition.replace(f"<{placeholder}>", await _image(running, artifact))
    return {"appspec": appspec, "taskDefinition": definition}


async def _image(running: Running, artifact: str) -> str:
    try:
        detail = json.loads(await _file(running, "image", artifact, "imageDetail.json"))
        uri = detail["ImageURI"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ActionFailed(
            f"The file imageDetail.json of the artifact {artifact} must be a JSON object with ImageURI",
            code="ConfigurationError",
        ) from None
    return str(uri)


async def _file(running: Running, what: str, artifact: str, path: str) -> str:
    with running.folder() as folder:
        file = await running.download(running.input(artifact), folder)
        content = await artifacts.member(file, path)
    if content is None:
        raise ActionFailed(
            f"Exception while trying to read the {what} artifact file from: {artifact}. It has no file {path}",
            code="ConfigurationError",
        )
    return content.decode(errors="replace")


async def _register(running: Running, text: str) -> str:
    try:
        given = json.loads(text)
        request = {member: value for member, value in given.items() if member not in ANSWERED_ONLY}
    except (json.JSONDecodeError, AttributeError) as error:
        raise ActionFailed(
            "Exception while trying to read the task definition artifact file from: "
            f"{running.configuration['TaskDefinitionTemplateArtifact']}. It is not a JSON object: {error}",
            code="ConfigurationError",
        ) from None
    if left := re.search(r"<[A-Z0-9_]+>", text):
        raise ActionFailed(
            f"The task definition has a placeholder {left[0]} that no Image<n>ContainerName names",
            code="ConfigurationError",
        )
    registered = await running.client("ecs").register_task_definition(**request)
    return str(registered["taskDefinition"]["taskDefinitionArn"])


async def _deploy(running: Running, appspec: str) -> str:
    """The id of the deployment; a repeated step finds the one that it made."""
    codedeploy = running.client("codedeploy")
    application = running.configuration["ApplicationName"]
    revision: dict[str, Any] = {"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec}}
    await codedeploy.register_application_revision(applicationName=application, revision=revision)
    description = (
        f"CodePipeline {running.row['pipelineName']}, action execution {running.x.token('deployment')}"
    )
    try:
        answer = await codedeploy.create_deployment(
            applicationName=application,
            deploymentGroupName=running.configuration["DeploymentGroupName"],
            revision=revision,
            description=description,
        )
    except AwsError as error:
        active = re.search(r"'(d-\w+)'", error.message)
        if error.code != "DeploymentLimitExceededException" or not active:
            raise
        info = (await codedeploy.get_deployment(deploymentId=active[1]))["deploymentInfo"]
        if info.get("description") != description:
            raise
        return active[1]
    return str(answer["deploymentId"])


async def _ended(running: Running, id: str) -> str | None:
    info = (await running.client("codedeploy").get_deployment(deploymentId=id))["deploymentInfo"]
    status = info["status"]
    if status == "Succeeded":
        return f"Deployment {id} succeeded"
    if status in ("Failed", "Stopped"):
        reason = info.get("errorInformation", {}).get("message", "")
        rolled_back = info.get("rollbackInfo", {}).get("rollbackMessage", "")
        raise ActionFailed(f"Deployment {id} {status.lower()}: {reason} {rolled_back}".strip())
    running.note(summary=f"Deployment {id} is {status}")
    return None


def _url(running: Running, id: str) -> str:
    return f"https://console.aws.amazon.com/codesuite/codedeploy/deployments/{id}?region={running.region}"


PROVIDER = ActionProvider(
    type=ActionTypeId("Deploy", "AWS", "CodeDeployToECS"),
    inputs=(1, 5),
    outputs=(0, 0),
    properties=(
        Property("ApplicationName", True),
        Property("DeploymentGroupName", True),
        Property("TaskDefinitionTemplateArtifact", True),
        Property("TaskDefinitionTemplatePath", default="taskdef.json"),
        Property("AppSpecTemplateArtifact", True),
        Property("AppSpecTemplatePath", default="appspec.yaml"),
        *(
            Property(f"Image{number}{name}")
            for number in range(1, IMAGES + 1)
            for name in ("ArtifactName", "ContainerName")
        ),
    ),
    run=_run,
    timeout=5 * DAY,
)
