"""Deliveries of messages: durable, tried again, and at last put into the subscription's dead-letter queue.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import json
import logging
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.log_events import unless_there
from homeport.engine.services.sns.topics import SUBSCRIPTIONS
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

MAILBOX = "/homeport/sns/email"
"""The log group in which messages to mail addresses can be read, in one stream an address."""

_FINAL = ("AccessDeniedException", "ResourceNotFoundException")
"""What a function answers that will not change by asking again."""
_WAITS = (1, 1, 2, 5, 10, 20, 60, 120, 300, 600)


class _Undelivered(Exception):
    """An endpoint did not take the message."""


async def _deliver(x: Execution) -> None:
    subscription = SUBSCRIPTIONS.get(x.ctx, x.input["subscription"])
    if subscription is None:
        return
    for attempt, wait in enumerate((*_WAITS, None), 1):

        async def send() -> None:
            await _send(x.ctx, subscription, x.input["message"], x.input.get("group"))

        try:
            await x.step(f"send-{attempt}", send)
            return
        except (_Undelivered, AwsError) as error:
            if wait is None or (isinstance(error, AwsError) and error.code in _FINAL):
                raise
        await x.sleep(f"wait-{attempt}", float(wait))


async def _send(ctx: Context, subscription: Body, message: dict[str, Any], group: str | None) -> None:
    protocol, endpoint = subscription["Protocol"], subscription["Endpoint"]
    if protocol in ("http", "https"):
        await _post(subscription, message)
    elif protocol == "sqs":
        await _queue(ctx, endpoint, _body(subscription, message), message, group, _is_raw(subscription))
    elif protocol == "lambda":
        event = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription["SubscriptionArn"],
            "Sns": message,
        }
        payload = json.dumps({"Records": [event]}).encode()
        source = ctx.on_account_of(message["TopicArn"])
        client = source.client("lambda", as_service=True, region=endpoint.split(":")[3])
        await client.invoke(FunctionName=endpoint, InvocationType="Event", Payload=payload)
    else:
        await _mail(ctx, endpoint, message)


def _is_raw(subscription: Body) -> bool:
    return subscription["Attributes"].get("RawMessageDelivery") == "true"


def _body(subscription: Body, message: dict[str, Any]) -> str:
    if _is_raw(subscription) and message["Type"] == "Notification":
        return str(message["Message"])
    return json.dumps(message)


async def _post(subscription: Body, message: dict[str, Any]) -> None:
    import aiohttp

    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": message["Type"],
        "x-amz-sns-message-id": message["MessageId"],
        "x-amz-sns-topic-arn": message["TopicArn"],
        "x-amz-sns-subscription-arn": subscription["SubscriptionArn"],
    }
    if _is_raw(subscription):
        headers["x-amz-sns-rawdelivery"] = "true"
    timeout = aiohttp.ClientTimeout(total=15)
    data = _body(subscription, message).encode()
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(subscription["Endpoint"], data=data, headers=headers) as answer,
        ):
            if not 200 <= answer.status < 300:
                raise _Undelivered(f"{subscription['Endpoint']} answered {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _Undelivered(f"{subscription['Endpoint']} could not be reached: {error}") from None


async def _queue(
    ctx: Context, arn: str, body: str, message: dict[str, Any], group: str | None, raw: bool
) -> None:
    _, _, _, region, account, name = arn.split(":")
    sqs = ctx.client("sqs", as_service=True, region=region)
    url = (await sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account))["QueueUrl"]
    more: dict[str, Any] = {}
    if raw:
        more["MessageAttributes"] = {
            key: {"DataType": each["Type"], "StringValue": each["Value"]}
            for key, each in (message.get("MessageAttributes") or {}).items()
        }
    if group:
        more |= {"MessageGroupId": group, "MessageDeduplicationId": message["MessageId"]}
    await sqs.send_message(QueueUrl=url, MessageBody=body, **more)


async def _mail(ctx: Context, address: str, message: dict[str, Any]) -> None:
    """homeport sends no mail: it shows it in a log group."""
    logs = ctx.client("logs", as_service=True)
    await unless_there(logs.create_log_group(logGroupName=MAILBOX))
    await unless_there(logs.create_log_stream(logGroupName=MAILBOX, logStreamName=address))
    event = {"timestamp": int(ctx.now() * 1000), "message": json.dumps(message)}
    await logs.put_log_events(logGroupName=MAILBOX, logStreamName=address, logEvents=[event])


async def _give_up(x: Execution, error: Exception) -> None:
    subscription = SUBSCRIPTIONS.get(x.ctx, x.input["subscription"])
    if subscription is None:
        return
    log.warning("a message for %s was not delivered: %s", subscription["SubscriptionArn"], error)
    redrive = subscription["Attributes"].get("RedrivePolicy")
    if redrive:
        message, arn = x.input["message"], json.loads(redrive)["deadLetterTargetArn"]
        try:
            await _queue(x.ctx, arn, _body(subscription, message), message, None, raw=False)
        except AwsError as refused:
            log.warning("the message is dropped: %s does not take it: %s", arn, refused)


DELIVERY = ExecutionKind("sns.delivery", _deliver, _give_up)
