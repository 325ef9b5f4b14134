"""What roles were denied, from the audit trail and from failed actions, with the statement to add."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from homeport.cli import pipelines
from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.target import Target

RECENT = timedelta(hours=3)
_SENTENCE = re.compile(
    r"User: (?P<who>arn:\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+?))?(?: because (?P<why>[^\n\"]*?))?(?:$|[\n\"])"
)
_SESSION = re.compile(r"arn:aws[\w-]*:sts::\d+:assumed-role/([^/]+)/")


def check(target: Target, stack: str | None) -> Iterator[Diagnosis]:
    """Each denied pair of role and action once, the newest first."""
    names = _logical_names(target, stack)
    seen: set[tuple[str, str, str]] = set()
    for message in (*_from_trail(target), *_from_pipelines(target, stack)):
        for denied in _SENTENCE.finditer(message):
            role = _SESSION.match(denied["who"])
            who = role[1] if role else denied["who"]
            resource = denied["resource"] or "*"
            if (stack and who not in names) or (who, denied["action"], resource) in seen:
                continue
            seen.add((who, denied["action"], resource))
            yield _diagnosis(who, names.get(who), denied["action"], resource, denied["why"] or "", denied[0])


def _diagnosis(
    who: str, logical: str | None, action: str, resource: str, why: str, sentence: str
) -> Diagnosis:
    statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource}, indent=2)
    where = f"the policy of {logical} in the template" if logical else f"a policy of the role {who}"
    if "explicit deny" in why:
        mend = f"Remove or narrow the Deny that matches {action} on {resource}: {why}"
    elif "permissions boundary" in why:
        mend = f"Let the permissions boundary of {who} allow {action}"
    else:
        mend = f"Add to {where}:\n{statement}"
    what = "push" if action.startswith("ecr:") else "call"
    return Diagnosis(logical or who, f"its {what} {action} is denied", sentence.strip('"\n '), mend)


def _from_trail(target: Target) -> Iterator[str]:
    cloudtrail = target.client("cloudtrail")
    since = datetime.now(UTC) - RECENT
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        StartTime=since, PaginationConfig={"MaxItems": 500, "PageSize": 50}
    )
    for page in pages:
        for event in page["Events"]:
            body = json.loads(event.get("CloudTrailEvent") or "{}")
            if "AccessDenied" in body.get("errorCode", "") or "Unauthorized" in body.get("errorCode", ""):
                yield body.get("errorMessage", "")


def _from_pipelines(target: Target, stack: str | None) -> Iterator[str]:
    client = target.client("codepipeline")
    for page in client.get_paginator("list_pipelines").paginate():
        for each in page["pipelines"]:
            if stack and each["name"] != stack:
                continue
            newest = pipelines.latest(client, each["name"])
            failed = pipelines.read(client, each["name"], newest).failure if newest else None
            if failed:
                yield failed.summary


def _logical_names(target: Target, stack: str | None) -> dict[str, str]:
    """The roles of the stack (of all stacks) by their physical names."""
    cloudformation: Any = target.client("cloudformation")
    stacks = (
        [stack]
        if stack
        else [
            each["StackName"]
            for page in cloudformation.get_paginator("describe_stacks").paginate()
            for each in page["Stacks"]
        ]
    )
    return {
        each["PhysicalResourceId"]: each["LogicalResourceId"]
        for name in stacks
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::IAM::Role"
    }
