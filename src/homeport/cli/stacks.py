"""CloudFormation stacks: deploy one and tell what happens to each resource as it happens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from homeport.cli.target import CannotReach

Event = dict[str, Any]
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_FINAL = ("_COMPLETE", "_FAILED")


class DeployFailed(Exception):
    """The stack did not get where it should; the text names the first resource that failed, and why."""


def deploy(
    cloudformation: Any,
    name: str,
    template: str,
    parameters: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    tell: Callable[[Event], None] = lambda event: None,
    poll: float = 0.25,
) -> dict[str, str]:
    """Create or update the stack, `tell` each of its events, and return its outputs. A stack that needs no change
    is left as it is; one whose creation was rolled back is replaced; one that another command deploys is waited for.
    Raises DeployFailed."""
    if (status := _at_rest(cloudformation, name, poll)) in (
        "ROLLBACK_COMPLETE",
        "CREATE_FAILED",
        "DELETE_FAILED",
    ):
        delete(cloudformation, name, tell, poll)
        status = None
    token = uuid.uuid4().hex
    arguments = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        "Capabilities": CAPABILITIES,
        "ClientRequestToken": token,
    }
    since = datetime.now(UTC)
    try:
        if status is None:
            cloudformation.create_stack(**arguments)
        else:
            cloudformation.update_stack(**arguments)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeployFailed(error.response["Error"]["Message"]) from None
        return outputs(cloudformation, name)
    _follow(cloudformation, name, token, tell, poll, since)
    return outputs(cloudformation, name)


def delete(cloudformation: Any, name: str, tell: Callable[[Event], None], poll: float = 0.25) -> None:
    """Delete the stack and wait until it is gone. Raises DeployFailed."""
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    token = uuid.uuid4().hex
    since = datetime.now(UTC)
    cloudformation.delete_stack(StackName=described["StackId"], ClientRequestToken=token)
    _follow(cloudformation, described["StackId"], token, tell, poll, since)


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    """The stack's outputs."""
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def template(cloudformation: Any, name: str) -> str | None:
    """The text that the stack was deployed from; None when there is no such stack, or it was JSON."""
    try:
        body = cloudformation.get_template(StackName=name)["TemplateBody"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return body if isinstance(body, str) else None


def known(cloudformation: Any, name: str) -> str:
    """The name, when there is such a stack. Raises CannotReach that names those there are."""
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackName"])
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    names = sorted(each["StackName"] for page in pages for each in page["Stacks"])
    there = f"there are {', '.join(names)}" if names else "there is none yet (homeport deploy makes one)"
    raise CannotReach(f"There is no stack {name}: {there}.")


def resources(cloudformation: Any, name: str, kind: str) -> dict[str, str]:
    """The logical ids of the stack's resources of a type, by their physical ids."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return {
        each["PhysicalResourceId"]: each["LogicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == kind and each.get("PhysicalResourceId")
    }


def _at_rest(cloudformation: Any, name: str, poll: float) -> str | None:
    """The stack's status, when what another command has begun is at its end: one that was interrupted goes on."""
    while (status := _status(cloudformation, name)) and status.endswith("_IN_PROGRESS"):
        if status == "REVIEW_IN_PROGRESS":  # a change set that nobody has carried out
            break
        time.sleep(poll)
    return status


def _status(cloudformation: Any, name: str) -> str | None:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _follow(
    cloudformation: Any, name: str, token: str, tell: Callable[[Event], None], poll: float, since: datetime
) -> None:
    reasons: list[str] = []
    for event in _events(cloudformation, name, token, poll, since):
        tell(event)
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if status.endswith("_FAILED") and "cancelled" not in reason.lower():
            reasons.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
        if _is_end(event):
            if reasons or "ROLLBACK" in status or status.endswith("_FAILED"):
                raise DeployFailed(reasons[0] if reasons else reason or status)
            return


def _is_end(event: Event) -> bool:
    """Whether the event tells that the stack itself has come to rest."""
    own = event["PhysicalResourceId"] == event["StackId"]
    status = event["ResourceStatus"]
    return own and status.endswith(_FINAL) and not status.endswith("CLEANUP_IN_PROGRESS")


def _events(cloudformation: Any, name: str, token: str, poll: float, since: datetime) -> Iterator[Event]:
    """The events of one request, oldest first, as they come."""
    seen: set[str] = set()
    while True:
        fresh: list[Event] = []
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
            batch = [each for each in page["StackEvents"] if each["EventId"] not in seen]
            fresh += batch
            if len(batch) < len(page["StackEvents"]) or (batch and batch[-1]["Timestamp"] < since):
                break
        for event in reversed(fresh):
            seen.add(event["EventId"])
            theirs = event.get("ClientRequestToken", token)  # not every implementation of the API tells it
            if theirs == token and ("ClientRequestToken" in event or event["Timestamp"] >= since):
                yield event
        time.sleep(poll)
