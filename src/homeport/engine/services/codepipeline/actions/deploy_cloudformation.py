"""Deploy CloudFormation: creates, updates, replaces and deletes stacks, and works with change sets.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import json
import zipfile
from functools import partial
from pathlib import Path
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
from homeport.engine.services.codepipeline.actions.stack_parameters import ArtifactFiles, parameters
from homeport.engine.services.codepipeline.artifacts import Artifact, read_file
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running

INLINE_LIMIT = 51_200
REPLACED = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
)
"""The states of a stack that REPLACE_ON_FAILURE deletes; one that an update rolled back is whole, and stays."""
_UNCHANGED = ("No updates are to be performed", "didn't contain changes", "No updates")


async def _run(running: Running) -> ActionResult:
    mode = running.configuration["ActionMode"]
    if mode not in _MODES:
        raise ActionFailed(f"ActionMode {mode} is none of {', '.join(_MODES)}", code="ConfigurationError")
    return await _MODES[mode](running)


async def _create_update(running: Running) -> ActionResult:
    return await _deploy(running, replace=False)


async def _replace_on_failure(running: Running) -> ActionResult:
    return await _deploy(running, replace=True)


async def _deploy(running: Running, replace: bool) -> ActionResult:
    name = running.configuration["StackName"]
    before = await running.x.step("look", lambda: _status(running, name))
    if replace and before in REPLACED:
        await running.x.step("delete", lambda: _delete(running, name))
        await running.until(lambda: _gone(running, name))
        before = None
    request = await running.x.step("request", lambda: _request(running))
    begun = await running.x.step("deploy", lambda: _create_or_update(running, request, before))
    if begun:
        await running.external(begun, _url(running, begun))
        await running.until(lambda: _settled(running, name), [_topic(begun)])
    return await _outputs(
        running, name, "Deployment Succeeded" if begun else "No updates were to be performed"
    )


async def _create_or_update(running: Running, request: dict[str, Any], before: str | None) -> str | None:
    """The id of the stack that changes now; None when there is nothing to change."""
    cloudformation = running.client("cloudformation")
    token = {"ClientRequestToken": running.x.token("stack")}
    if before in (None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return (await cloudformation.create_stack(**request, **token))["StackId"]
    try:
        return (await cloudformation.update_stack(**request, **token))["StackId"]
    except AwsError as error:
        if any(text in error.message for text in _UNCHANGED):
            return None
        raise


async def _delete_only(running: Running) -> ActionResult:
    name = running.configuration["StackName"]
    await running.x.step("delete", lambda: _delete(running, name))
    await running.until(lambda: _gone(running, name))
    return ActionResult(summary=f"Stack {name} deleted")


async def _change_set_replace(running: Running) -> ActionResult:
    name, change_set = _change_set_names(running)
    request = await running.x.step("request", lambda: _request(running))
    id = await running.x.step("create", lambda: _create_change_set(running, name, change_set, request))
    await running.external(id, _url(running, id))

    async def created() -> dict[str, Any] | None:
        found = await running.client("cloudformation").describe_change_set(ChangeSetName=id)
        return found if found["Status"] in ("CREATE_COMPLETE", "FAILED") else None

    found = await running.until(created)
    reason = found.get("StatusReason", "")
    if found["Status"] == "FAILED" and not any(text in reason for text in _UNCHANGED):
        raise ActionFailed(f"The change set {change_set} could not be created: {reason}")
    return await _outputs(running, name, f"Change set {change_set} was created.", missing_ok=True)


async def _create_change_set(running: Running, name: str, change_set: str, request: dict[str, Any]) -> str:
    cloudformation = running.client("cloudformation")
    status = await _status(running, name)
    if status is not None:
        await cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
    kind = "CREATE" if status in (None, "REVIEW_IN_PROGRESS") else "UPDATE"
    answer = await cloudformation.create_change_set(
        **request,
        ChangeSetName=change_set,
        ChangeSetType=kind,
        ClientToken=running.x.token("change set"),
    )
    return answer["Id"]


async def _change_set_execute(running: Running) -> ActionResult:
    name, change_set = _change_set_names(running)

    async def execute() -> str | None:
        cloudformation = running.client("cloudformation")
        found = await cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        if found["Status"] == "FAILED" and any(text in found.get("StatusReason", "") for text in _UNCHANGED):
            return None
        if found.get("ExecutionStatus") == "AVAILABLE":
            await cloudformation.execute_change_set(
                StackName=name, ChangeSetName=change_set, ClientRequestToken=running.x.token("execute")
            )
        return found["StackId"]

    begun = await running.x.step("execute", execute)
    if begun:
        await running.external(begun, _url(running, begun))
        await running.until(lambda: _settled(running, name), [_topic(begun)])
    return await _outputs(running, name, "Change set executed" if begun else "The change set has no changes")


_MODES = {
    "CREATE_UPDATE": _create_update,
    "REPLACE_ON_FAILURE": _replace_on_failure,
    "DELETE_ONLY": _delete_only,
    "CHANGE_SET_REPLACE": _change_set_replace,
    "CHANGE_SET_EXECUTE": _change_set_execute,
}


def _change_set_names(running: Running) -> tuple[str, str]:
    configuration = running.configuration
    if not configuration.get("ChangeSetName"):
        raise ActionFailed(
            f"ChangeSetName is required for ActionMode {configuration['ActionMode']}",
            code="ConfigurationError",
        )
    return configuration["StackName"], configuration["ChangeSetName"]


async def _request(running: Running) -> dict[str, Any]:
    """The members that CreateStack, UpdateStack and CreateChangeSet share."""
    configuration = running.configuration
    if not configuration.get("TemplatePath"):
        raise ActionFailed("TemplatePath is required for this ActionMode", code="ConfigurationError")
    with running.folder() as folder:
        files = ArtifactFiles(running, folder)
        template = await files.text(configuration["TemplatePath"])
        settings: dict[str, Any] = {}
        if path := configuration.get("TemplateConfiguration"):
            settings = _settings(path, await files.text(path))
        overrides = running.json("ParameterOverrides") or {}
        values = await parameters({**settings.get("Parameters", {}), **overrides}, files)
        request = await _template(running, template, folder)
    request |= {
        "StackName": configuration["StackName"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        "Capabilities": [
            one.strip() for one in configuration.get("Capabilities", "").split(",") if one.strip()
        ],
    }
    if role := configuration.get("RoleArn"):
        request["RoleARN"] = role
    if tags := settings.get("Tags"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if settings.get("StackPolicy") and configuration["ActionMode"] in ("CREATE_UPDATE", "REPLACE_ON_FAILURE"):
        request["StackPolicyBody"] = json.dumps(settings["StackPolicy"])
    return request


def _settings(path: str, text: str) -> dict[str, Any]:
    """What the file TemplateConfiguration says."""
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ActionFailed(
            f"The template configuration {path} is not valid JSON: {error}", code="ConfigurationError"
        ) from None
    if not isinstance(settings, dict):
        raise ActionFailed(
            f"The template configuration {path} is not a JSON object", code="ConfigurationError"
        )
    return settings


async def _template(running: Running, template: str, folder: Path) -> dict[str, Any]:
    """The template in the request, or, when it is too long for that, in the artifact store."""
    if len(template.encode()) <= INLINE_LIMIT:
        return {"TemplateBody": template}
    store = running.store(running.region)
    key = artifacts.key(running.row["pipelineName"], "template", running.x.token("template"))
    place = Artifact("template", store["location"], key)
    file = folder / "template"
    file.write_text(template)
    await running.artifact_client("s3").put_object(
        Bucket=place.bucket, Key=place.key, Body=read_file(file), ContentLength=file.stat().st_size
    )
    return {"TemplateURL": f"https://{place.bucket}.s3.{running.region}.amazonaws.com/{place.key}"}


async def _stack(running: Running, name: str) -> dict[str, Any] | None:
    try:
        answer = await running.client("cloudformation").describe_stacks(StackName=name)
    except AwsError as error:
        if "does not exist" in error.message:
            return None
        raise
    return answer["Stacks"][0]


async def _status(running: Running, name: str) -> str | None:
    stack = await _stack(running, name)
    return stack["StackStatus"] if stack else None


async def _delete(running: Running, name: str) -> None:
    role = running.configuration.get("RoleArn")
    await running.client("cloudformation").delete_stack(StackName=name, RoleARN=role)


async def _gone(running: Running, name: str) -> bool | None:
    stack = await _stack(running, name)
    if stack and stack["StackStatus"] == "DELETE_FAILED":
        raise ActionFailed(f"The stack {name} could not be deleted: {stack.get('StackStatusReason', '')}")
    return True if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else None


def _topic(stack_id: str) -> str:
    """Notified when the stack changes."""
    return f"cloudformation.stack:{stack_id}"


async def _settled(running: Running, name: str) -> bool | None:
    stack = await _stack(running, name)
    if stack is None:
        raise ActionFailed(f"The stack {name} does not exist any more")
    status = stack["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        running.note(summary=status)
        return None
    if _is_failed(status):
        why = stack.get("StackStatusReason") or await _first_failure(running, name)
        raise ActionFailed(f"The stack {name} is {status}. {why}")
    return True


def _is_failed(status: str) -> bool:
    return status.endswith("_FAILED") or "ROLLBACK_COMPLETE" in status


async def _first_failure(running: Running, name: str) -> str:
    answer = await running.client("cloudformation").describe_stack_events(StackName=name)
    failed = [event for event in answer["StackEvents"] if event.get("ResourceStatus", "").endswith("_FAILED")]
    if not failed:
        return ""
    first = failed[-1]
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', '')}"


async def _outputs(running: Running, name: str, summary: str, missing_ok: bool = False) -> ActionResult:
    stack = await _stack(running, name)
    if stack is None and not missing_ok:
        raise ActionFailed(f"The stack {name} does not exist any more")
    variables = {one["OutputKey"]: one["OutputValue"] for one in (stack or {}).get("Outputs", ())}
    written: dict[str, str] = {}
    for declared in running.action["outputArtifacts"]:
        place = running.output(declared["name"])
        await running.x.step(f"output {place.name}", partial(_write, running, place, variables))
        written[place.name] = place.key
    return ActionResult(summary=summary, variables=variables, outputs=written)


async def _write(running: Running, place: Artifact, variables: dict[str, str]) -> None:
    name = running.configuration.get("OutputFileName") or "CreateStackOutput.json"
    with running.folder() as folder:
        file = folder / "output.zip"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, json.dumps(variables))
        await running.upload(place, file)


def _url(running: Running, id: str) -> str:
    return f"https://console.aws.amazon.com/cloudformation/home?region={running.region}#/stacks/stackinfo?stackId={id}"


PROVIDER = ActionProvider(
    type=ActionTypeId("Deploy", "AWS", "CloudFormation"),
    inputs=(0, 10),
    outputs=(0, 1),
    properties=(
        Property("ActionMode", True),
        Property("StackName", True),
        Property("Capabilities"),
        Property("ChangeSetName"),
        Property("RoleArn"),
        Property("TemplatePath"),
        Property("TemplateConfiguration"),
        Property("ParameterOverrides"),
        Property("OutputFileName"),
    ),
    run=_run,
    timeout=3 * DAY,
)
