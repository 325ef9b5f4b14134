"""Topics and what their subscribers get, through boto3 and a running engine."""

from __future__ import annotations

import http.server
import json
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine


class Endpoint(http.server.BaseHTTPRequestHandler):
    """A web address that hears messages; it refuses the first of each kind that is to be refused."""

    heard: queue.Queue[dict[str, Any]]
    refusals: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.refusals:
            self.send_response(self.refusals.pop())
        else:
            self.heard.put({"type": self.headers["x-amz-sns-message-type"], "body": body})
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def endpoint() -> Iterator[Any]:
    class Mine(Endpoint):
        heard: queue.Queue[dict[str, Any]] = queue.Queue()
        refusals: list[int] = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Mine.url = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[attr-defined]
    yield Mine
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sns(engine: RunningEngine) -> Any:
    return engine.client("sns")


def subscribed(sns: Any, endpoint: Any, **attributes: str) -> str:
    """Subscribe the web address to the topic `t` and confirm with the token that it hears."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    answer = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
    assert answer["SubscriptionArn"] == "pending confirmation"
    asked = endpoint.heard.get(timeout=10)
    assert asked["type"] == "SubscriptionConfirmation"
    sns.confirm_subscription(TopicArn=topic, Token=json.loads(asked["body"])["Token"])
    return topic


def test_a_confirmed_address_gets_messages_and_is_tried_again(sns: Any, endpoint: Any) -> None:
    topic = subscribed(sns, endpoint)
    endpoint.refusals.append(503)
    sent = sns.publish(TopicArn=topic, Message="hello", Subject="greeting")
    message = json.loads(endpoint.heard.get(timeout=10)["body"])
    assert (message["Type"], message["Message"], message["Subject"]) == ("Notification", "hello", "greeting")
    assert message["MessageId"] == sent["MessageId"]


def test_filters_and_raw_delivery(sns: Any, endpoint: Any) -> None:
    topic = subscribed(
        sns, endpoint, FilterPolicy='{"kind": ["a", {"prefix": "x"}]}', RawMessageDelivery="true"
    )
    for kind in ("a", "b", "xyz"):
        attribute = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message=f"kind {kind}", MessageAttributes=attribute)
    assert {endpoint.heard.get(timeout=10)["body"] for _ in range(2)} == {"kind a", "kind xyz"}
    time.sleep(0.2)
    assert endpoint.heard.empty()


def test_mail_can_be_read_in_a_log_group(sns: Any, engine: RunningEngine) -> None:
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    logs = engine.client("logs")

    def mail() -> list[dict[str, Any]]:
        try:
            events = logs.filter_log_events(logGroupName="/homeport/sns/email")["events"]
        except ClientError:
            return []
        return [json.loads(event["message"]) for event in events]

    def wait_for(count: int) -> None:
        deadline = time.monotonic() + 10
        while len(mail()) < count and time.monotonic() < deadline:
            time.sleep(0.05)

    wait_for(1)
    sns.confirm_subscription(TopicArn=topic, Token=mail()[0]["Token"])
    sns.publish(TopicArn=topic, Message='{"default": "d", "email": "for mail"}', MessageStructure="json")
    wait_for(2)
    assert mail()[1]["Message"] == "for mail"


def test_a_published_message_survives_a_kill(own_engine: RunningEngine, endpoint: Any) -> None:
    own_engine.start(HOMEPORT_FAIL_AT="sns.delivery.send-1.before:2")
    sns = own_engine.client("sns")
    topic = subscribed(sns, endpoint)
    sns.publish(TopicArn=topic, Message="not lost")
    own_engine.wait_dead()
    own_engine.start()
    assert json.loads(endpoint.heard.get(timeout=15)["body"])["Message"] == "not lost"


def test_topics_are_listed_described_and_refused(sns: Any, engine: RunningEngine) -> None:
    topics = [sns.create_topic(Name=f"t{number:03d}")["TopicArn"] for number in range(101)]
    pages = sns.get_paginator("list_topics").paginate()
    assert [each["TopicArn"] for page in pages for each in page["Topics"]] == topics
    assert sns.create_topic(Name="t000")["TopicArn"] == topics[0]
    sns.set_topic_attributes(TopicArn=topics[0], AttributeName="DisplayName", AttributeValue="zero")
    attributes = sns.get_topic_attributes(TopicArn=topics[0])["Attributes"]
    assert (attributes["DisplayName"], attributes["SubscriptionsConfirmed"]) == ("zero", "0")
    queue_arn = f"arn:aws:sqs:{engine.region}:{engine.account}:q"
    made = sns.subscribe(TopicArn=topics[0], Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=topics[0], Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"] == made
    assert (
        sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]["PendingConfirmation"] == "false"
    )
    sns.delete_topic(TopicArn=topics[0])
    assert sns.list_subscriptions()["Subscriptions"] == []
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=topics[0], Message="x")
    with pytest.raises(ClientError, match="Does not support this protocol"):
        sns.subscribe(TopicArn=topics[1], Protocol="sms", Endpoint="+1")
    with pytest.raises(ClientError, match="FilterPolicy"):
        sns.subscribe(
            TopicArn=topics[1], Protocol="sqs", Endpoint=queue_arn, Attributes={"FilterPolicy": '{"a": 1}'}
        )
    batch = sns.publish_batch(
        TopicArn=topics[1],
        PublishBatchRequestEntries=[{"Id": "1", "Message": "a"}, {"Id": "2", "Message": "b"}],
    )
    assert [each["Id"] for each in batch["Successful"]] == ["1", "2"]
