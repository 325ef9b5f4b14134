"""Topics.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

TOPICS = Table("sns_topics", key=("TopicArn",))
SUBSCRIPTIONS = Table("sns_subscriptions", key=("SubscriptionArn",), columns=("TopicArn",))

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
_REPORTED = ("HTTP", "Firehose", "Lambda", "Application", "SQS")
"""Protocols with delivery status logs, which need a role (`HTTPSuccessFeedbackRoleArn`): homeport writes none."""
_SETTABLE = (
    "DisplayName",
    "Policy",
    "DeliveryPolicy",
    "KmsMasterKeyId",
    "FifoTopic",
    "ContentBasedDeduplication",
    "SignatureVersion",
    "TracingConfig",
    "FifoThroughputScope",
    *(f"{protocol}SuccessFeedbackSampleRate" for protocol in _REPORTED),
)
_OWNERS_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)
_DELIVERY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20,
            "maxDelayTarget": 20,
            "numRetries": 3,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
    }
}


def find_topic(ctx: Context, arn: str) -> Body:
    """The topic of this ARN. Raises InvalidParameter, NotFound."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        raise AwsError("InvalidParameter", "Invalid parameter: TopicArn")
    topic = TOPICS.get(ctx, arn)
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist")
    return topic


@operation
async def create_topic(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"""
    name, attributes = request["Name"], request.get("Attributes") or {}
    fifo = attributes.get("FifoTopic") == "true"
    if not _NAME.fullmatch(name) or name.endswith(".fifo") != fifo:
        raise AwsError("InvalidParameter", "Invalid parameter: Topic Name")
    _check(attributes)
    arn = ctx.arn(name)
    tags = request.get("Tags") or []
    with ctx.store.transaction():
        present = TOPICS.get(ctx, arn)
        if present and any(present["Attributes"].get(key) != value for key, value in attributes.items()):
            raise AwsError(
                "InvalidParameter",
                "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
            )
        if present and tags and _as_dict(present["Tags"]) != _as_dict(tags):
            raise AwsError(
                "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags"
            )
        if not present:
            TOPICS.put(ctx, {"TopicArn": arn, "Attributes": attributes, "Tags": tags})
    return {"TopicArn": arn}


def _check(attributes: dict[str, str]) -> None:
    if unknown := set(attributes) - set(_SETTABLE):
        raise AwsError("InvalidParameter", f"Invalid parameter: AttributeName: {min(unknown)}")
    for name in ("Policy", "DeliveryPolicy"):
        try:
            json.loads(attributes.get(name) or "{}")
        except ValueError:
            raise AwsError("InvalidParameter", f"Invalid parameter: {name} Error: null") from None


def _as_dict(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


@operation
async def delete_topic(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html"""
    with ctx.store.transaction():
        if TOPICS.delete(ctx, request["TopicArn"]):
            for each in SUBSCRIPTIONS.list(ctx, TopicArn=request["TopicArn"]):
                SUBSCRIPTIONS.delete(ctx, each["SubscriptionArn"])
    return {}


@operation
async def list_topics(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html"""
    arns = [topic["TopicArn"] for topic in TOPICS.list(ctx)]
    found, token = page(arns, 100, request.get("NextToken"), lambda arn: arn, "InvalidParameter")
    return {"Topics": [{"TopicArn": arn} for arn in found], "NextToken": token}


@operation
async def get_topic_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html"""
    topic = find_topic(ctx, request["TopicArn"])
    subscriptions = SUBSCRIPTIONS.list(ctx, TopicArn=topic["TopicArn"])
    confirmed = sum(each["Confirmed"] for each in subscriptions)
    return {
        "Attributes": {
            "TopicArn": topic["TopicArn"],
            "Owner": ctx.account,
            "DisplayName": "",
            "EffectiveDeliveryPolicy": json.dumps(_DELIVERY),
            "SubscriptionsConfirmed": str(confirmed),
            "SubscriptionsPending": str(len(subscriptions) - confirmed),
            "SubscriptionsDeleted": "0",
            **topic["Attributes"],
            "Policy": topic["Attributes"].get("Policy") or json.dumps(policy_of(ctx, topic)),
        }
    }


def policy_of(ctx: Context, topic: Body) -> dict[str, Any]:
    """The topic's policy: its own, or the one that lets the owner's account do everything."""
    if policy := topic["Attributes"].get("Policy"):
        return dict(json.loads(policy))
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{name}" for name in _OWNERS_ACTIONS],
                "Resource": topic["TopicArn"],
                "Condition": {"StringEquals": {"AWS:SourceOwner": ctx.account}},
            }
        ],
    }


async def resource_policy(ctx: Context, arn: str) -> dict[str, Any] | None:
    """The policy that was put on the topic of this ARN."""
    topic = TOPICS.get(ctx, arn)
    policy = topic["Attributes"].get("Policy") if topic else None
    return json.loads(policy) if policy else None


@operation
async def set_topic_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html"""
    name, value = request["AttributeName"], request.get("AttributeValue") or ""
    if name == "FifoTopic":
        raise AwsError("InvalidParameter", "Invalid parameter: AttributeName")
    _check({name: value})
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        TOPICS.put(ctx, {**topic, "Attributes": {**topic["Attributes"], name: value}})
    return {}


@operation
async def add_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html"""
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        policy = policy_of(ctx, topic)
        if any(each.get("Sid") == request["Label"] for each in policy["Statement"]):
            raise AwsError("InvalidParameter", "Invalid parameter: Statement already exists")
        accounts = [f"arn:aws:iam::{account}:root" for account in request["AWSAccountId"]]
        statement = {
            "Sid": request["Label"],
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": [f"SNS:{name}" for name in request["ActionName"]],
            "Resource": topic["TopicArn"],
        }
        policy["Statement"].append(statement)
        _put_policy(ctx, topic, policy)
    return {}


@operation
async def remove_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_RemovePermission.html"""
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        policy = policy_of(ctx, topic)
        policy["Statement"] = [each for each in policy["Statement"] if each.get("Sid") != request["Label"]]
        _put_policy(ctx, topic, policy)
    return {}


def _put_policy(ctx: Context, topic: Body, policy: dict[str, Any]) -> None:
    TOPICS.put(ctx, {**topic, "Attributes": {**topic["Attributes"], "Policy": json.dumps(policy)}})


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html"""
    with ctx.store.transaction():
        topic = find_tagged(ctx, request)
        tags = _as_dict([*topic["Tags"], *request["Tags"]])
        TOPICS.put(ctx, {**topic, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_UntagResource.html"""
    with ctx.store.transaction():
        topic = find_tagged(ctx, request)
        kept = [tag for tag in topic["Tags"] if tag["Key"] not in request["TagKeys"]]
        TOPICS.put(ctx, {**topic, "Tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_ListTagsForResource.html"""
    return {"Tags": find_tagged(ctx, request)["Tags"]}


def find_tagged(ctx: Context, request: dict[str, Any]) -> Body:
    """The topic that a request about tags names. Raises ResourceNotFound."""
    topic = TOPICS.get(ctx, request["ResourceArn"])
    if topic is None:
        raise AwsError("ResourceNotFound", "Resource does not exist")
    return topic
