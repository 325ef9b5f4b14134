"""LookupEvents. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html

Unlike AWS's it finds data events too (objects got and put, messages sent): every call is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from homeport.engine.services.cloudtrail.trail import Trail
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

MAX_RESULTS = 50


@operation
async def lookup_events(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    start, end = request.get("StartTime"), request.get("EndTime")
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must not be later than the end time.")
    wanted = _filter(request.get("LookupAttributes") or [])
    size = request.get("MaxResults") or MAX_RESULTS
    found: list[dict[str, Any]] = []
    position: tuple[int, int] | None = None
    for at, line in ctx.engine.part(Trail).positions(_position(request.get("NextToken"))):
        record = wanted(line)
        if record is None or record["awsRegion"] != ctx.region:
            continue
        moment = datetime.fromisoformat(record["eventTime"]).timestamp()
        if start is not None and moment < start:
            break
        if end is not None and moment > end:
            continue
        if len(found) == size:
            return {"Events": found, "NextToken": f"{position[0]}.{position[1]}" if position else ""}
        found.append(_event(record, moment))
        position = at
    return {"Events": found}


def _filter(attributes: list[dict[str, str]]) -> Callable[[bytes], dict[str, Any] | None]:
    if len(attributes) > 1:
        raise AwsError(
            "InvalidLookupAttributesException", "Invalid attribute: you can give one lookup attribute only."
        )
    if not attributes:
        return json.loads
    key, value = attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]
    read = _READERS[key]
    # Most lines can be told from their bytes: parsing them all would cost ten times as much.
    part = json.dumps(value, ensure_ascii=False).strip('"').encode()

    def matches(line: bytes) -> dict[str, Any] | None:
        if part not in line:
            return None
        record = json.loads(line)
        return record if value in read(record) else None

    return matches


def _user(record: dict[str, Any]) -> str:
    identity = record["userIdentity"]
    if identity["type"] == "Root":
        return "root"
    return identity.get("userName") or identity.get("arn", identity.get("invokedBy", "")).rpartition("/")[2]


def _resources(record: dict[str, Any]) -> list[str]:
    arns = [resource["ARN"] for resource in record.get("resources") or ()]
    return [*arns, *(arn.rpartition(":")[2].rpartition("/")[2] for arn in arns)]


def _types(record: dict[str, Any]) -> list[str]:
    return [found for resource in record.get("resources") or () if (found := _type(resource["ARN"]))]


_READERS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "AccessKeyId": lambda record: [record["userIdentity"].get("accessKeyId", "")],
    "EventId": lambda record: [record["eventID"]],
    "EventName": lambda record: [record["eventName"]],
    "EventSource": lambda record: [record["eventSource"]],
    "ReadOnly": lambda record: ["true" if record["readOnly"] else "false"],
    "ResourceName": _resources,
    "ResourceType": _types,
    "Username": lambda record: [_user(record)],
}

_TYPES = {
    "codebuild:project": "AWS::CodeBuild::Project",
    "cloudformation:stack": "AWS::CloudFormation::Stack",
    "ecr:repository": "AWS::ECR::Repository",
    "ecs:cluster": "AWS::ECS::Cluster",
    "ecs:service": "AWS::ECS::Service",
    "ecs:task": "AWS::ECS::Task",
    "ecs:task-definition": "AWS::ECS::TaskDefinition",
    "elasticloadbalancing:loadbalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "elasticloadbalancing:targetgroup": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "iam:group": "AWS::IAM::Group",
    "iam:instance-profile": "AWS::IAM::InstanceProfile",
    "iam:policy": "AWS::IAM::Policy",
    "iam:role": "AWS::IAM::Role",
    "iam:user": "AWS::IAM::User",
    "kms:key": "AWS::KMS::Key",
    "logs:log-group": "AWS::Logs::LogGroup",
    "secretsmanager:secret": "AWS::SecretsManager::Secret",
    "ssm:parameter": "AWS::SSM::Parameter",
}


def _type(arn: str) -> str | None:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    if parts[2] == "s3":
        return "AWS::S3::Object" if "/" in parts[5] else "AWS::S3::Bucket"
    return _TYPES.get(f"{parts[2]}:{parts[5].replace(':', '/').partition('/')[0]}")


def _event(record: dict[str, Any], moment: float) -> dict[str, Any]:
    resources = []
    for resource in record.get("resources") or ():
        kind = _type(resource["ARN"])
        resources.append({"ResourceName": resource["ARN"], **({"ResourceType": kind} if kind else {})})
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "true" if record["readOnly"] else "false",
        "AccessKeyId": record["userIdentity"].get("accessKeyId"),
        "EventTime": datetime.fromtimestamp(moment, UTC),
        "EventSource": record["eventSource"],
        "Username": _user(record),
        "Resources": resources,
        "CloudTrailEvent": json.dumps(record),
    }


def _position(token: str | None) -> tuple[int, int] | None:
    if token is None:
        return None
    number, dot, line = token.partition(".")
    if not (dot and number.isdecimal() and line.isdecimal()):
        raise AwsError(
            "InvalidNextTokenException", "Invalid token: pass the one that the last page returned."
        )
    return int(number), int(line)
