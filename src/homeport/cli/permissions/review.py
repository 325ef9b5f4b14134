"""Grants beside uses: which actions were used, which were not, which the trail cannot show, and the policy without
those that were not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from homeport.cli.permissions import narrowing
from homeport.cli.permissions.grants import Policy, actions, covers
from homeport.cli.permissions.trail import Use

_DATA = (
    *("s3:*Object*", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "logs:PutLogEvents"),
    *("logs:GetLogEvents", "logs:FilterLogEvents", "sns:Publish", "sqs:SendMessage", "sqs:ReceiveMessage"),
    *("sqs:DeleteMessage", "dynamodb:*Item*", "dynamodb:Query", "dynamodb:Scan", "lambda:InvokeFunction"),
    *("events:PutEvents", "cloudwatch:PutMetricData", "cloudwatch:GetMetric*", "kinesis:PutRecord*"),
)
"""Data events and calls that event history leaves out.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html"""
_AWS_ONLY = (
    *("codecommit:GetUploadArchiveStatus", "codecommit:CancelUploadArchive"),
    *("s3:GetObjectVersion", "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"),
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "logs:CreateLogGroup"),
    *("ecs:DescribeTasks", "ecs:ListTasks", "ecs:TagResource"),
    *("ec2:*NetworkInterface*", "ec2:Describe*"),
)
"""What CodePipeline, CodeBuild and ECS do in AWS with a role, and the engine without one.
https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam-permissions-policies.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"""
ONLY_ON_AWS = "AWS uses it where the engine does not"
_IMPLIED = ("*:TagResource", "*:AddTags*", "logs:CreateLogGroup")
"""What is checked beside another call and then recorded as that call only."""


class State(StrEnum):
    """What is known of a granted action."""

    used = "used"
    unused = "unused"
    unseen = "unseen"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A granted action. `why` says why the trail cannot show it, or not all that a wildcard grants."""

    action: str
    policy: str
    state: State
    use: Use | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A role, its granted actions, and for each policy that can be tighter the document to put in its place; None
    in place of a document means that nothing of the policy was used."""

    role: str
    actions: list[Reviewed] = field(default_factory=list)
    denied: Mapping[str, Use] = field(default_factory=dict)
    tighter: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    parts: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    """Of each of these policies, what is left of each of its statements."""


def review(
    role: str, policies: list[Policy], used: Mapping[str, Use], denied: Mapping[str, Use], records_data: bool
) -> Review:
    """A role's grants beside its uses."""
    found = Review(role, denied=denied)
    for policy in policies:
        parts: list[list[dict[str, Any]]] = []
        for statement in policy.statements:
            judged = [_judge(granted, policy.name, used, records_data) for granted in actions(statement)]
            found.actions.extend(judged)
            parts.append(_tight(statement, judged, used))
        if (kept := [each for part in parts for each in part]) != policy.statements:
            found.parts[policy.name] = parts
            found.tighter[policy.name] = {"Version": "2012-10-17", "Statement": kept} if kept else None
    return found


def _judge(granted: str, policy: str, used: Mapping[str, Use], records_data: bool) -> Reviewed:
    why = _only_on_aws(granted) if records_data else _unseen(granted)
    if matching := [use for action, use in used.items() if covers(granted, action)]:
        whole = Use(sum(use.count for use in matching), max(use.last for use in matching if use.last))
        whole.resources = {resource for use in matching for resource in use.resources}
        return Reviewed(granted, policy, State.used, whole, why)
    return Reviewed(granted, policy, State.unseen if why else State.unused, why=why)


def _only_on_aws(granted: str) -> str:
    """Why the engine's trail, which has every call at home, would not show an action that AWS needs."""
    return ONLY_ON_AWS if any(covers(each, granted) for each in _AWS_ONLY) else ""


def _unseen(granted: str) -> str:
    """Why AWS's event history would not show the action even if it were used; empty when it would."""
    if any(covers(each, granted) or covers(granted, each.replace("*", "")) for each in _DATA):
        return "a data event, which LookupEvents does not show"
    if any(covers(each, granted) for each in _IMPLIED):
        return "checked beside another call, and recorded as that"
    prefix, _, name = granted.partition(":")
    operations = _operations(prefix)
    if operations and "*" not in name and name.lower() not in operations:
        return "a permission without an API call of its name, so that no event has it"
    return ""


@cache
def _operations(prefix: str) -> frozenset[str]:
    """The API calls of a service, in small letters; none for one that botocore does not know by this name."""
    import botocore.session

    session = botocore.session.get_session()
    service = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}.get(prefix, prefix)
    if service not in session.get_available_services():
        return frozenset()
    return frozenset(name.lower() for name in session.get_service_model(service).operation_names)


def _tight(
    statement: dict[str, Any], judged: list[Reviewed], used: Mapping[str, Use]
) -> list[dict[str, Any]]:
    """The statement without what was not used, and without the resources that were not; none when nothing of it was.
    What denies stays as it is. Where the trail shows some of its actions only, those are a statement of their own."""
    if statement["Effect"] != "Allow" or "Action" not in statement:
        return [statement]
    seen: list[str] = []
    unseen: list[str] = []
    for each in judged:
        if each.state is State.used and not each.why:
            seen += (
                sorted(name for name in used if covers(each.action, name))
                if "*" in each.action
                else [each.action]
            )
        elif each.state is not State.unused:
            unseen.append(each.action)
    granted = narrowing.resources(statement)
    uses = [use for name, use in used.items() if any(covers(each, name) for each in seen)]
    if granted and seen and (resources := narrowing.narrowed(granted, uses)):
        tight = {**statement, "Action": seen, "Resource": resources}
        return [tight, {**statement, "Action": unseen}] if unseen else [tight]
    order = [each.action for each in judged]
    keep = sorted([*seen, *unseen], key=lambda name: order.index(name) if name in order else len(order))
    if not keep:
        return []
    return [statement if keep == order else {**statement, "Action": keep}]
