"""What a deployment would change, as CloudFormation's change set says, for people."""

from __future__ import annotations

import time
import uuid
from typing import Any

from botocore.exceptions import ClientError
from rich.table import Table

from homeport.cli.stacks import CAPABILITIES
from homeport.cli.target import CannotReach

_MARKS = {"Add": ("+", "green"), "Modify": ("~", "yellow"), "Remove": ("-", "red"), "Import": ("i", "cyan")}
_PERMISSIONS = ("AWS::IAM::", "AWS::S3::BucketPolicy", "AWS::EC2::SecurityGroup")


def preview(
    cloudformation: Any, stack: str, template: str, parameters: dict[str, str], poll: float = 0.5
) -> list[dict[str, Any]]:
    """The resource changes of a change set, which is deleted again. Empty when there are none."""
    exists = _exists(cloudformation, stack)
    name = f"homeport-{uuid.uuid4().hex[:12]}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="UPDATE" if exists else "CREATE",
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=CAPABILITIES,
    )
    try:
        return _read(cloudformation, stack, name, poll)
    finally:
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        if not exists:
            cloudformation.delete_stack(StackName=stack)


def _exists(cloudformation: Any, stack: str) -> bool:
    try:
        return bool(
            cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            != "REVIEW_IN_PROGRESS"
        )
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise


def _read(cloudformation: Any, stack: str, name: str, poll: float) -> list[dict[str, Any]]:
    while True:
        found = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "")
            if "didn't contain changes" in reason or "No updates" in reason:
                return []
            raise CannotReach(f"The change set was refused: {reason}")
        if found["Status"] == "CREATE_COMPLETE":
            break
        time.sleep(poll)
    pages = cloudformation.get_paginator("describe_change_set").paginate(StackName=stack, ChangeSetName=name)
    return [each["ResourceChange"] for page in pages for each in page["Changes"]]


def table(found: list[dict[str, Any]]) -> Table:
    """The changes: replacements and changes of permissions are marked."""
    shown = Table(box=None, padding=(0, 1))
    for heading in ("", "Resource", "Type", "What changes", ""):
        shown.add_column(heading, no_wrap=heading in ("Resource", ""))
    for change in found:
        mark, color = _MARKS.get(change["Action"], ("?", "white"))
        properties = {
            each["Target"].get("Name") or each["Target"]["Attribute"] for each in change.get("Details", [])
        }
        notes = []
        if change.get("Replacement") in ("True", "Conditional"):
            sure = change["Replacement"] == "True"
            notes.append("[bold red]is replaced[/]" if sure else "[yellow]may be replaced[/]")
        if change["ResourceType"].startswith(_PERMISSIONS):
            notes.append("[magenta]permissions[/]")
        shown.add_row(
            f"[{color}]{mark}[/]",
            change["LogicalResourceId"],
            f"[bright_black]{change['ResourceType'].removeprefix('AWS::')}[/]",
            ", ".join(sorted(properties)),
            " ".join(notes),
        )
    return shown
