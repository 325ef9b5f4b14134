"""Who may invoke a function: rules, topics, alarms and roles, as its resource policy and theirs say."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import call, create, log_of, role
from tests.waiting import until

TELL = """
import json
def handler(event, context):
    print("got " + json.dumps(event))
"""


@pytest.fixture
def listener(engine: RunningEngine) -> str:
    """A function that writes what it gets to its log."""
    role(engine)
    return create(engine, TELL)


def admit(engine: RunningEngine, service: str, source: str) -> None:
    engine.client("lambda").add_permission(
        FunctionName="f",
        StatementId=f"for-{service.partition('.')[0]}",
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
        SourceArn=source,
        SourceAccount=engine.account,
    )


def got(engine: RunningEngine) -> list[Any]:
    """The events that the function was given."""
    lines = log_of(engine).splitlines()
    return [json.loads(line.removeprefix("got ")) for line in lines if line.startswith("got ")]


def test_a_rule_reaches_the_function_that_admits_it(engine: RunningEngine, listener: str) -> None:
    events, sqs = engine.client("events"), engine.client("sqs")
    rule = events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')["RuleArn"]
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead = f"arn:aws:sqs:{engine.region}:{engine.account}:dead"
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": listener, "DeadLetterConfig": {"Arn": dead}}])

    def send(number: int) -> None:
        detail = json.dumps({"number": number})
        events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": detail}])

    send(1)
    refused = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"))
    assert json.loads(refused[0]["Body"])["detail"] == {"number": 1}
    admit(engine, "events", rule)
    send(2)
    (event,) = until(lambda: got(engine))
    assert event["detail"] == {"number": 2}


def test_log_events_that_match_reach_the_function_that_admits_logs(
    engine: RunningEngine, listener: str
) -> None:
    logs, group = engine.client("logs"), "shop"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="web")
    wanted = {"logGroupName": group, "filterName": "errors", "destinationArn": listener}
    pattern = "[level = ERROR, code]"

    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(**wanted, filterPattern=pattern)
    admit(engine, "logs", f"arn:aws:logs:{engine.region}:{engine.account}:log-group:{group}:*")
    logs.put_subscription_filter(**wanted, filterPattern=pattern)
    now = int(time.time() * 1000)
    lines = ("ERROR 7", "INFO 8", "ERROR 9")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="web",
        logEvents=[{"timestamp": now, "message": line} for line in lines],
    )

    (event,) = until(lambda: got(engine))
    message = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    found = [(each["message"], each["extractedFields"]["code"]) for each in message.pop("logEvents")]
    assert found == [("ERROR 7", "7"), ("ERROR 9", "9")]
    assert message == {
        "messageType": "DATA_MESSAGE",
        "owner": engine.account,
        "logGroup": group,
        "logStream": "web",
        "subscriptionFilters": ["errors"],
    }
    (shown,) = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert (shown["destinationArn"], shown["filterPattern"]) == (listener, pattern)
    logs.delete_subscription_filter(logGroupName=group, filterName="errors")
    assert logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_a_subscription_filter_has_a_function_for_its_destination(engine: RunningEngine) -> None:
    logs = engine.client("logs")
    logs.create_log_group(logGroupName="shop")
    stream = f"arn:aws:kinesis:{engine.region}:{engine.account}:stream/s"

    with pytest.raises(ClientError, match="hands log events to Lambda functions only"):
        logs.put_subscription_filter(
            logGroupName="shop", filterName="f", filterPattern="", destinationArn=stream
        )


def test_a_topic_and_an_alarm_reach_the_function_that_admits_them(
    engine: RunningEngine, listener: str
) -> None:
    sns, cloudwatch = engine.client("sns"), engine.client("cloudwatch")
    topic = sns.create_topic(Name="t")["TopicArn"]
    admit(engine, "sns", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=listener)
    sns.publish(TopicArn=topic, Message="hello")
    (event,) = until(lambda: got(engine))
    assert event["Records"][0]["Sns"]["Message"] == "hello"

    alarm = f"arn:aws:cloudwatch:{engine.region}:{engine.account}:alarm:a"
    admit(engine, "lambda.alarms.cloudwatch", alarm)
    cloudwatch.put_metric_alarm(
        AlarmName="a", Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", AlarmActions=[listener],
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="a test")
    told = until(lambda: got(engine)[1:])
    assert (told[0]["alarmArn"], told[0]["alarmData"]["state"]["value"]) == (alarm, "ALARM")


def test_a_role_needs_the_permission_to_invoke(engine: RunningEngine, listener: str) -> None:
    iam, sts = engine.client("iam"), engine.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": engine.account}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    arn = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="ada")["Credentials"]
    caller = engine.client(
        "lambda",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with pytest.raises(ClientError) as refused:
        caller.invoke(FunctionName="f")
    assert refused.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:sts::{engine.account}:assumed-role/caller/ada is not authorized to perform: "
        f"lambda:InvokeFunction on resource: {listener} because no identity-based policy allows the "
        "lambda:InvokeFunction action",
    }
    engine.client("lambda").add_permission(
        FunctionName="f", StatementId="caller", Action="lambda:InvokeFunction", Principal=arn
    )
    assert caller.invoke(FunctionName="f")["StatusCode"] == 200


def test_a_role_that_lambda_cannot_assume_is_refused(engine: RunningEngine) -> None:
    arn = role(engine, "other", "ecs-tasks.amazonaws.com")
    with pytest.raises(ClientError) as refused:
        create(engine, TELL, Role=arn)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The role defined for the function cannot be assumed by Lambda.",
    }


def test_a_function_acts_as_its_role(engine: RunningEngine) -> None:
    role(engine)
    source = """
import boto3
def handler(event, context):
    who = boto3.client("sts").get_caller_identity()["Arn"]
    try:
        boto3.client("s3").list_buckets()
    except Exception as error:
        return [who, str(error)]
"""
    create(engine, source)
    who, error = call(engine)
    assert who == f"arn:aws:sts::{engine.account}:assumed-role/function/f"
    assert "is not authorized to perform: s3:ListAllMyBuckets" in error


def test_permissions_come_and_go(engine: RunningEngine, listener: str) -> None:
    functions = engine.client("lambda")
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.get_policy(FunctionName="f")
    rule = f"arn:aws:events:{engine.region}:{engine.account}:rule/r"
    admit(engine, "events", rule)
    with pytest.raises(ClientError, match="ResourceConflictException"):
        admit(engine, "events", rule)
    (statement,) = json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert statement == {
        "Sid": "for-events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": listener,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": engine.account},
            "ArnLike": {"AWS:SourceArn": rule},
        },
    }
    functions.remove_permission(FunctionName="f", StatementId="for-events")
    with pytest.raises(ClientError, match="is not found in resource policy"):
        functions.remove_permission(FunctionName="f", StatementId="for-events")
