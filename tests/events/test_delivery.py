"""Events find their way to targets, through boto3 and a running engine."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.waiting import until

T = TypeVar("T")


def messages(engine: RunningEngine, group: str) -> list[str]:
    events = engine.client("logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events]


def given_rule(engine: RunningEngine, name: str, group: str, bus: str = "default", **settings: Any) -> None:
    logs, events = engine.client("logs"), engine.client("events")
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:{engine.region}:{engine.account}:log-group:{group}"
    target = {"Id": "log", "Arn": arn, **settings.pop("target", {})}
    events.put_rule(Name=name, EventBusName=bus, **settings)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[target])


def send(engine: RunningEngine, number: int, bus: str = "default") -> dict[str, Any]:
    entry = {
        "Source": "shop",
        "DetailType": "Order",
        "Detail": json.dumps({"n": number}),
        "EventBusName": bus,
    }
    return engine.client("events").put_events(Entries=[entry])


def test_an_event_reaches_the_targets_of_matching_rules_only(engine: RunningEngine) -> None:
    pattern = json.dumps({"source": ["shop"], "detail": {"n": [{"numeric": [">", 1]}]}})
    given_rule(engine, "big", "/events/big", EventPattern=pattern)
    for number in (1, 2):
        assert send(engine, number)["FailedEntryCount"] == 0
    (found,) = until(lambda: messages(engine, "/events/big"))
    event = json.loads(found)
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "Order", {"n": 2})
    assert (event["account"], event["region"], event["version"]) == (engine.account, engine.region, "0")


def test_a_target_may_take_a_transformed_input_on_another_bus(engine: RunningEngine) -> None:
    events = engine.client("events")
    bus = events.create_event_bus(Name="orders")["EventBusArn"]
    transformer = {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '"order <n>"'}
    given_rule(
        engine,
        "all",
        "/events/all",
        bus="orders",
        EventPattern='{"source": ["shop"]}',
        target={"InputTransformer": transformer},
    )
    events.put_rule(Name="forward", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="forward", Targets=[{"Id": "bus", "Arn": bus}])
    send(engine, 7)
    assert until(lambda: messages(engine, "/events/all")) == ['"order 7"']


def test_s3_tells_eventbridge_of_objects(engine: RunningEngine) -> None:
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["b-1"]}},
    }
    given_rule(engine, "uploads", "/events/uploads", EventPattern=json.dumps(pattern))
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="b-1")
    s3.put_object(Bucket="b-1", Key="silent", Body=b"x")
    s3.put_bucket_notification_configuration(
        Bucket="b-1", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="b-1", Key="a/b", Body=b"hello")
    (found,) = until(lambda: messages(engine, "/events/uploads"))
    event = json.loads(found)
    assert event["resources"] == ["arn:aws:s3:::b-1"]
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["size"]) == ("a/b", 5)
    assert event["detail"]["reason"] == "PutObject"


def test_a_schedule_fires(own_engine: RunningEngine) -> None:
    own_engine.start(HOMEPORT_CLOCK_SPEED="60")
    given_rule(own_engine, "tick", "/events/tick", ScheduleExpression="rate(1 minute)")
    assert until(lambda: len(messages(own_engine, "/events/tick")) >= 2)
    event = json.loads(messages(own_engine, "/events/tick")[0])
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")


def test_an_accepted_event_survives_a_kill(own_engine: RunningEngine) -> None:
    own_engine.start(HOMEPORT_FAIL_AT="events.delivery.send-1.before:3")
    given_rule(own_engine, "all", "/events/all", EventPattern='{"source": ["shop"]}')
    accepted = []
    for number in range(10):
        try:
            send(own_engine, number)
        except Exception:
            break
        accepted.append(number)
    own_engine.wait_dead()
    own_engine.start()
    assert len(accepted) >= 2
    until(lambda: len(messages(own_engine, "/events/all")) >= len(accepted))
    found = sorted(json.loads(message)["detail"]["n"] for message in messages(own_engine, "/events/all"))
    assert found[: len(accepted)] == accepted


def test_what_is_wrong_is_refused(engine: RunningEngine) -> None:
    events = engine.client("events")
    for wrong, message in [
        ({}, "EventPattern or ScheduleExpression must be specified"),
        ({"EventPattern": '{"a": "b"}'}, '"a" must be an object or an array'),
        ({"ScheduleExpression": "rate(1 minutes)"}, "ScheduleExpression is not valid"),
    ]:
        with pytest.raises(ClientError, match=message):
            events.put_rule(Name="r", **wrong)
    events.put_rule(Name="r", EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match="RoleArn is required"):
        events.put_targets(
            Rule="r", Targets=[{"Id": "1", "Arn": f"arn:aws:codepipeline:{engine.region}:{engine.account}:p"}]
        )
    with pytest.raises(ClientError, match="does not exist on EventBus default"):
        events.describe_rule(Name="none")
    answer = events.put_events(
        Entries=[
            {"Source": "aws.ecs", "DetailType": "x", "Detail": "{}"},
            {"Source": "a", "DetailType": "x", "Detail": "no"},
            {"Source": "a", "DetailType": "x", "Detail": "{}"},
        ]
    )
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        "NotAuthorizedForSourceException",
        "MalformedDetail",
        None,
    ]
    with pytest.raises(ClientError, match="homeport does not have events:CreateArchive yet"):
        events.create_archive(
            ArchiveName="a",
            EventSourceArn=f"arn:aws:events:{engine.region}:{engine.account}:event-bus/default",
        )


def test_rules_are_listed_tagged_and_deleted(engine: RunningEngine) -> None:
    events = engine.client("events")
    for number in range(3):
        rule = events.put_rule(
            Name=f"r{number}", EventPattern='{"source": ["x"]}', Tags=[{"Key": "a", "Value": "b"}]
        )
    pages = events.get_paginator("list_rules").paginate(PaginationConfig={"PageSize": 2})
    assert [each["Name"] for page in pages for each in page["Rules"]] == ["r0", "r1", "r2"]
    assert events.list_tags_for_resource(ResourceARN=rule["RuleArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    arn = f"arn:aws:sns:{engine.region}:{engine.account}:t"
    events.put_targets(Rule="r0", Targets=[{"Id": "1", "Arn": arn}])
    assert events.list_rule_names_by_target(TargetArn=arn)["RuleNames"] == ["r0"]
    with pytest.raises(ClientError, match="it has targets"):
        events.delete_rule(Name="r0")
    events.remove_targets(Rule="r0", Ids=["1"])
    events.delete_rule(Name="r0")
    assert [each["Name"] for each in events.list_rules()["Rules"]] == ["r1", "r2"]


def test_an_event_that_not_even_its_dead_letter_queue_takes_is_dropped(engine: RunningEngine) -> None:
    dead = {"Arn": f"arn:aws:sqs:{engine.region}:{engine.account}:none"}
    target = {"DeadLetterConfig": dead, "RetryPolicy": {"MaximumRetryAttempts": 0}}
    given_rule(engine, "all", "/events/gone", EventPattern=json.dumps({"source": ["shop"]}), target=target)
    engine.client("logs").delete_log_group(logGroupName="/events/gone")
    send(engine, 1)
    store = sqlite3.connect(f"file:{engine.data}/homeport.db?mode=ro", uri=True)
    until(lambda: store.execute("SELECT count(*) FROM durable_executions").fetchone() == (0,))
    store.close()
