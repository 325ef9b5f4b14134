"""The types of SNS and SQS."""

from dataclasses import replace
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Each, Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Request

_TOPIC_SETTINGS = (
    "ContentBasedDeduplication",
    "DisplayName",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)
_QUEUE_SETTINGS = (
    "ContentBasedDeduplication",
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_SUBSCRIPTION_SETTINGS = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)


def _map(*names: str) -> str:
    return "{" + ", ".join(f"{name}: properties.{name}" for name in names) + "}"


def _topic_setting(name: str) -> Put:
    members = {"TopicArn": "id", "AttributeName": f"'{name}'", "AttributeValue": f"properties.{name} || ''"}
    return Put(Call("set_topic_attributes", members, only=True), (name,), at_creation=False)


def _subscription_setting(name: str) -> Put:
    members = {
        "SubscriptionArn": "id",
        "AttributeName": f"'{name}'",
        "AttributeValue": f"properties.{name} || ''",
    }
    return Put(Call("set_subscription_attributes", members, only=True), (name,), at_creation=False)


class _Policies(Each):
    """The same policy on each of the named topics or queues."""

    def named(self) -> tuple[str, ...]:
        return (self.property, "PolicyDocument")

    def own(self, changed: set[str]) -> set[str]:
        return changed & set(self.named())

    async def updated(self, request: Request, service: str, names: dict[str, Any]) -> None:
        if request.properties["PolicyDocument"] != request.previous["PolicyDocument"]:
            await self.created(request, service, names)
        await super().updated(request, service, names)


class _Subscriptions(Each):
    """The subscriptions of a topic, which are removed by ARNs that only the topic knows."""

    async def _removed(self, request: Request, service: str, names: dict[str, Any], item: Any) -> None:
        token: str | None = None
        while True:
            listed = await request.client("sns").list_subscriptions_by_topic(
                TopicArn=names["id"], NextToken=token
            )
            for each in listed["Subscriptions"]:
                if (each["Protocol"], each["Endpoint"]) == (item["Protocol"], item["Endpoint"]):
                    await super()._removed(request, service, names, each)
            if not (token := listed.get("NextToken")):
                return


_QUEUE = {"QueueUrl": "id"}
_TOPIC_POLICY = {"TopicArn": "item", "AttributeName": "'Policy'"}
_PUT_TOPIC_POLICY = Call(
    "set_topic_attributes", {**_TOPIC_POLICY, "AttributeValue": "properties.PolicyDocument"}, only=True
)
_PUT_QUEUE_POLICY = Call(
    "set_queue_attributes",
    {"QueueUrl": "item", "Attributes": "{Policy: to_string(properties.PolicyDocument)}"},
    only=True,
)

TYPES = (
    Type(
        "AWS::SNS::Topic",
        "sns",
        named="TopicName",
        limit=256,
        create=Call("create_topic", {"Name": "name", "Attributes": _map("FifoTopic", *_TOPIC_SETTINGS)}),
        id="response.TopicArn",
        present=Call(
            "get_topic_attributes",
            {"TopicArn": "join(':', ['arn:aws:sns', region, account, name])"},
            only=True,
        ),
        attributes={"TopicArn": "id", "TopicName": "split(id, ':')[5]"},
        parts=(
            _Subscriptions(
                "Subscription",
                Call(
                    "subscribe",
                    {"TopicArn": "id", "Protocol": "item.Protocol", "Endpoint": "item.Endpoint"},
                    only=True,
                ),
                Call("unsubscribe", {"SubscriptionArn": "item.SubscriptionArn"}, only=True),
                key="[Protocol, Endpoint]",
            ),
            *(_topic_setting(name) for name in _TOPIC_SETTINGS),
            Tags(
                Call("tag_resource", {"ResourceArn": "id", "Tags": "added"}, only=True),
                Call("untag_resource", {"ResourceArn": "id", "TagKeys": "removed"}, only=True),
            ),
        ),
        delete=Call("delete_topic", {"TopicArn": "id"}, only=True),
    ),
    Type(
        "AWS::SNS::Subscription",
        "sns",
        create=Call(
            "subscribe", {"Attributes": _map(*_SUBSCRIPTION_SETTINGS), "ReturnSubscriptionArn": "`true`"}
        ),
        id="response.SubscriptionArn",
        attributes={"Arn": "id"},
        parts=tuple(_subscription_setting(name) for name in _SUBSCRIPTION_SETTINGS),
        delete=Call("unsubscribe", {"SubscriptionArn": "id"}, only=True),
    ),
    Type(
        "AWS::SNS::TopicPolicy",
        "sns",
        create=replace(
            _PUT_TOPIC_POLICY, members={**_PUT_TOPIC_POLICY.members, "TopicArn": "properties.Topics[0]"}
        ),
        id="join('-', [stack_name, logical_id, 'policy'])",
        parts=(
            _Policies(
                "Topics",
                _PUT_TOPIC_POLICY,
                Call("set_topic_attributes", {**_TOPIC_POLICY, "AttributeValue": "''"}, only=True),
                clear=True,
            ),
        ),
    ),
    Type(
        "AWS::SQS::Queue",
        "sqs",
        named="QueueName",
        limit=80,
        create=Call("create_queue", {"Attributes": _map("FifoQueue", *_QUEUE_SETTINGS)}),
        id="response.QueueUrl",
        present=Call("get_queue_url", {"QueueName": "name"}, only=True),
        read=Call("get_queue_attributes", {**_QUEUE, "AttributeNames": "['QueueArn']"}, only=True),
        found="Attributes",
        attributes={"Arn": "read.QueueArn", "QueueName": "split(id, '/')[-1]", "QueueUrl": "id"},
        parts=(
            Tags(
                Call("tag_queue", {**_QUEUE, "Tags": "added"}, only=True),
                Call("untag_queue", {**_QUEUE, "TagKeys": "removed"}, only=True),
            ),
            Put(
                Call("set_queue_attributes", {**_QUEUE, "Attributes": _map(*_QUEUE_SETTINGS)}, only=True),
                at_creation=False,
            ),
        ),
        delete=Call("delete_queue", _QUEUE, only=True),
    ),
    Type(
        "AWS::SQS::QueuePolicy",
        "sqs",
        create=replace(
            _PUT_QUEUE_POLICY, members={**_PUT_QUEUE_POLICY.members, "QueueUrl": "properties.Queues[0]"}
        ),
        id="join('-', [stack_name, logical_id, 'policy'])",
        parts=(
            _Policies(
                "Queues",
                _PUT_QUEUE_POLICY,
                Call("set_queue_attributes", {"QueueUrl": "item", "Attributes": "{Policy: ''}"}, only=True),
                clear=True,
            ),
        ),
    ),
)
