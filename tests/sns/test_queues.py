"""What queues get from topics, buckets and rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine


class Queue:
    """A queue, and what comes out of it."""

    def __init__(self, engine: RunningEngine, name: str) -> None:
        self._sqs: Any = engine.client("sqs")
        self.url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{engine.region}:{engine.account}:{name}"

    def receive(self) -> str:
        for _ in range(20):
            for message in self._sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1).get(
                "Messages", []
            ):
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                return str(message["Body"])
        raise AssertionError("nothing came")


@pytest.fixture
def queue(engine: RunningEngine) -> Queue:
    return Queue(engine, "inbox")


def test_a_topic_fills_a_queue(engine: RunningEngine, queue: Queue) -> None:
    sns = engine.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="hello")
    assert json.loads(queue.receive())["Message"] == "hello"
    sns.set_subscription_attributes(
        SubscriptionArn=made, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    sns.publish(TopicArn=topic, Message="raw")
    assert queue.receive() == "raw"


def test_a_bucket_tells_a_queue_and_a_topic(engine: RunningEngine, queue: Queue) -> None:
    sns, s3 = engine.client("sns"), engine.client("s3")
    topic = sns.create_topic(Name="t")["TopicArn"]
    second = Queue(engine, "second")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=second.arn)
    s3.create_bucket(Bucket="things")
    chosen = {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".zip"}]}}
    s3.put_bucket_notification_configuration(
        Bucket="things",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"Id": "q", "QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"], "Filter": chosen}
            ],
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:Delete"]}],
        },
    )
    s3.put_object(Bucket="things", Key="a b.txt", Body=b"")
    s3.put_object(Bucket="things", Key="a b.zip", Body=b"123")
    (record,) = json.loads(queue.receive())["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a+b.zip")
    assert (record["s3"]["object"]["size"], record["s3"]["configurationId"]) == (3, "q")
    s3.delete_object(Bucket="things", Key="a b.zip")
    (record,) = json.loads(json.loads(second.receive())["Message"])["Records"]
    assert record["eventName"] == "ObjectRemoved:Delete"


def test_an_event_that_cannot_be_delivered_goes_to_the_dead_letter_queue(
    engine: RunningEngine, queue: Queue
) -> None:
    events = engine.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    arn = f"arn:aws:logs:{engine.region}:{engine.account}:log-group:/none"
    dead = {"DeadLetterConfig": {"Arn": queue.arn}}
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, **dead}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}])
    assert json.loads(queue.receive())["source"] == "shop"
