"""Publish: a message to the subscribers of a topic, each by a durable delivery.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.events.patterns import compile_pattern
from homeport.engine.services.service import operation
from homeport.engine.services.sns.delivery import DELIVERY
from homeport.engine.services.sns.topics import SUBSCRIPTIONS, find_topic
from homeport.engine.store.table import Body
from homeport.engine.wire.codecs.values import iso8601
from homeport.engine.wire.errors import AwsError

_MAX_SIZE = 262_144


@operation
async def publish(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
    if request.get("PhoneNumber"):
        raise AwsError("NotImplemented", "homeport does not send text messages to phones.", 501)
    arn = request.get("TopicArn") or request.get("TargetArn")
    if not arn:
        raise AwsError(
            "InvalidParameter",
            "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
        )
    with ctx.store.transaction():
        return {"MessageId": _publish(ctx, find_topic(ctx, arn), request)}


@operation
async def publish_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""
    entries = request["PublishBatchRequestEntries"]
    if not entries:
        raise AwsError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > 10:
        raise AwsError(
            "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise AwsError(
            "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."
        )
    done, failed = [], []
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        for entry in entries:
            try:
                done.append({"Id": entry["Id"], "MessageId": _publish(ctx, topic, entry)})
            except AwsError as error:
                wrong = {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
                failed.append(wrong)
    return {"Successful": done, "Failed": failed}


def _publish(ctx: Context, topic: Body, request: dict[str, Any]) -> str:
    text: str = request["Message"]
    if not text:
        raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
    if len(text.encode()) > _MAX_SIZE:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
    texts = _by_protocol(text) if request.get("MessageStructure") == "json" else {"default": text}
    attributes = {name: _attribute(value) for name, value in (request.get("MessageAttributes") or {}).items()}
    group = request.get("MessageGroupId")
    if topic["Attributes"].get("FifoTopic") == "true" and not group:
        raise AwsError(
            "InvalidParameter",
            "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
        )
    message = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": topic["TopicArn"],
        "Subject": request.get("Subject"),
        "Timestamp": iso8601(ctx.now()),
        "MessageAttributes": attributes or None,
    }
    for each in SUBSCRIPTIONS.list(ctx, TopicArn=topic["TopicArn"]):
        body = texts.get(each["Protocol"], texts["default"])
        if each["Confirmed"] and _wants(each, body, attributes):
            sent = {name: value for name, value in {**message, "Message": body}.items() if value is not None}
            work = {"subscription": each["SubscriptionArn"], "message": sent, "group": group}
            ctx.start(DELIVERY, uuid.uuid4().hex, work)
    return str(message["MessageId"])


def _by_protocol(text: str) -> dict[str, str]:
    try:
        texts = json.loads(text)
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        raise AwsError(
            "InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse"
        )
    if "default" not in texts:
        raise AwsError(
            "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body"
        )
    return {name: str(value) for name, value in texts.items()}


def _attribute(value: dict[str, Any]) -> dict[str, str]:
    binary = value.get("BinaryValue")
    text = base64.b64encode(binary).decode() if binary is not None else value.get("StringValue", "")
    return {"Type": value["DataType"], "Value": text}


def _wants(subscription: Body, text: str, attributes: dict[str, dict[str, str]]) -> bool:
    """Whether the subscription's filter policy takes the message.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html
    """
    policy = subscription["Attributes"].get("FilterPolicy")
    if not policy or json.loads(policy) == {}:
        return True
    if subscription["Attributes"].get("FilterPolicyScope") == "MessageBody":
        try:
            event = json.loads(text)
        except ValueError:
            return False
        return isinstance(event, dict) and compile_pattern(policy).matches(event)
    return compile_pattern(policy).matches({name: _value(each) for name, each in attributes.items()})


def _value(attribute: dict[str, str]) -> Any:
    if attribute["Type"] in ("Number", "String.Array"):
        try:
            return json.loads(attribute["Value"])
        except ValueError:
            return attribute["Value"]
    return attribute["Value"]
