"""Subscriptions: who gets a topic's messages.

Queues and functions of the same engine are confirmed at once; web addresses and mailboxes confirm with the token
that they are sent.
https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.events.patterns import InvalidPattern, compile_pattern
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.services.sns.delivery import DELIVERY
from homeport.engine.services.sns.topics import SUBSCRIPTIONS, find_topic
from homeport.engine.store.table import Body
from homeport.engine.wire.codecs.values import iso8601
from homeport.engine.wire.errors import AwsError

PROTOCOLS = ("http", "https", "email", "email-json", "sqs", "lambda")
_CONFIRMED_AT_ONCE = ("sqs", "lambda")
_PENDING = "PendingConfirmation"
_ATTRIBUTES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)


def find_subscription(ctx: Context, arn: str) -> Body:
    """The subscription of this ARN. Raises NotFound."""
    subscription = SUBSCRIPTIONS.get(ctx, arn)
    if subscription is None:
        raise AwsError("NotFound", "Subscription does not exist")
    return subscription


@operation
async def subscribe(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"""
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    attributes = request.get("Attributes") or {}
    _check_endpoint(protocol, endpoint)
    _check_attributes(attributes)
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        for each in SUBSCRIPTIONS.list(ctx, TopicArn=topic["TopicArn"]):
            if (each["Protocol"], each["Endpoint"]) == (protocol, endpoint):
                return {
                    "SubscriptionArn": each["SubscriptionArn"]
                    if each["Confirmed"]
                    else _shown_pending(request, each)
                }
        subscription = {
            "SubscriptionArn": f"{topic['TopicArn']}:{uuid.uuid4()}",
            "TopicArn": topic["TopicArn"],
            "Protocol": protocol,
            "Endpoint": endpoint,
            "Attributes": attributes,
            "Owner": ctx.account,
            "Confirmed": protocol in _CONFIRMED_AT_ONCE,
            "Token": secrets.token_hex(64),
        }
        SUBSCRIPTIONS.put(ctx, subscription)
        if not subscription["Confirmed"]:
            _ask_to_confirm(ctx, subscription)
    return {
        "SubscriptionArn": subscription["SubscriptionArn"]
        if subscription["Confirmed"]
        else _shown_pending(request, subscription)
    }


def _shown_pending(request: dict[str, Any], subscription: Body) -> str:
    return subscription["SubscriptionArn"] if request.get("ReturnSubscriptionArn") else "pending confirmation"


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol not in PROTOCOLS:
        raise AwsError(
            "InvalidParameter",
            f"Invalid parameter: Does not support this protocol string: {protocol}. homeport has "
            f"{', '.join(PROTOCOLS)}.",
        )
    starts = {"http": "http://", "https": "https://", "sqs": "arn:aws:sqs:", "lambda": "arn:aws:lambda:"}
    if not endpoint.startswith(starts.get(protocol, "")) or (
        protocol.startswith("email") and "@" not in endpoint
    ):
        raise AwsError(
            "InvalidParameter", f"Invalid parameter: Endpoint does not fit the protocol {protocol}"
        )


def _check_attributes(attributes: dict[str, str]) -> None:
    if unknown := set(attributes) - set(_ATTRIBUTES):
        raise AwsError("InvalidParameter", f"Invalid parameter: AttributeName: {min(unknown)}")
    if attributes.get("FilterPolicyScope", "MessageBody") not in ("MessageBody", "MessageAttributes"):
        raise AwsError("InvalidParameter", "Invalid parameter: FilterPolicyScope: Invalid value")
    if policy := attributes.get("FilterPolicy"):
        try:
            if json.loads(policy) != {}:
                compile_pattern(policy)
        except (InvalidPattern, ValueError) as error:
            raise AwsError("InvalidParameter", f"Invalid parameter: FilterPolicy: {error}") from None
    if redrive := attributes.get("RedrivePolicy"):
        try:
            json.loads(redrive)["deadLetterTargetArn"]
        except (ValueError, KeyError, TypeError):
            raise AwsError(
                "InvalidParameter", "Invalid parameter: RedrivePolicy: no deadLetterTargetArn"
            ) from None


def _ask_to_confirm(ctx: Context, subscription: Body) -> None:
    arn = subscription["TopicArn"]
    text = (
        f"You have chosen to subscribe to the topic {arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    token = subscription["Token"]
    url = f"http://{ctx.engine.config.host}:{ctx.engine.config.port}/?Action=ConfirmSubscription"
    message = {
        "Type": "SubscriptionConfirmation",
        "MessageId": str(uuid.uuid4()),
        "Token": token,
        "TopicArn": arn,
        "Message": text,
        "SubscribeURL": f"{url}&TopicArn={arn}&Token={token}",
        "Timestamp": iso8601(ctx.now()),
    }
    ctx.start(
        DELIVERY, uuid.uuid4().hex, {"subscription": subscription["SubscriptionArn"], "message": message}
    )


@operation
async def confirm_subscription(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html"""
    with ctx.store.transaction():
        topic = find_topic(ctx, request["TopicArn"])
        for each in SUBSCRIPTIONS.list(ctx, TopicArn=topic["TopicArn"]):
            if secrets.compare_digest(each["Token"].encode(), request["Token"].encode()):
                SUBSCRIPTIONS.put(ctx, {**each, "Confirmed": True})
                return {"SubscriptionArn": each["SubscriptionArn"]}
    raise AwsError("InvalidParameter", "Invalid parameter: Token")


@operation
async def unsubscribe(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html"""
    SUBSCRIPTIONS.delete(ctx, request["SubscriptionArn"])
    return {}


@operation
async def list_subscriptions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html"""
    return _list(SUBSCRIPTIONS.list(ctx), request)


@operation
async def list_subscriptions_by_topic(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html"""
    topic = find_topic(ctx, request["TopicArn"])
    return _list(SUBSCRIPTIONS.list(ctx, TopicArn=topic["TopicArn"]), request)


def _list(subscriptions: list[Body], request: dict[str, Any]) -> dict[str, Any]:
    token = request.get("NextToken")
    found, token = page(subscriptions, 100, token, lambda each: each["SubscriptionArn"], "InvalidParameter")
    names = ("Owner", "Protocol", "Endpoint", "TopicArn")
    return {
        "Subscriptions": [
            {
                "SubscriptionArn": each["SubscriptionArn"] if each["Confirmed"] else _PENDING,
                **{name: each[name] for name in names},
            }
            for each in found
        ],
        "NextToken": token,
    }


@operation
async def get_subscription_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html"""
    found = find_subscription(ctx, request["SubscriptionArn"])
    attributes = {
        name: found[name] for name in ("SubscriptionArn", "TopicArn", "Protocol", "Endpoint", "Owner")
    }
    pending = "false" if found["Confirmed"] else "true"
    defaults = {"RawMessageDelivery": "false", "ConfirmationWasAuthenticated": "true"}
    return {"Attributes": {**defaults, **attributes, "PendingConfirmation": pending, **found["Attributes"]}}


@operation
async def set_subscription_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html"""
    name, value = request["AttributeName"], request.get("AttributeValue")
    _check_attributes({name: value or ""})
    with ctx.store.transaction():
        found = find_subscription(ctx, request["SubscriptionArn"])
        attributes = {**found["Attributes"], name: value}
        kept = {key: each for key, each in attributes.items() if each}
        SUBSCRIPTIONS.put(ctx, {**found, "Attributes": kept})
    return {}
