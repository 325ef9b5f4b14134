"""Asynchronous invocations: kept, tried again, told of at their end."""

from __future__ import annotations

import json
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import create, log_of, role
from tests.waiting import until

SOURCE = """
import time
def handler(event, context):
    print(f"got {event['number']} as {context.aws_request_id}")
    time.sleep(event.get("seconds", 0))
    if event.get("fails"):
        raise RuntimeError("no")
"""
SQS = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"


def send(engine: RunningEngine, **event: Any) -> str:
    answer = engine.client("lambda").invoke(
        FunctionName="f", InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert answer["StatusCode"] == 202
    return str(answer["ResponseMetadata"]["RequestId"])


def test_a_kill_loses_no_event(own_engine: RunningEngine) -> None:
    own_engine.start()
    role(own_engine)
    create(own_engine, SOURCE)
    for number in range(3):
        send(own_engine, number=number, seconds=0.5)
    until(lambda: "got" in log_of(own_engine))
    own_engine.restart()
    until(lambda: all(f"got {number} as" in log_of(own_engine) for number in range(3)))


def test_an_event_that_fails_is_tried_twice_again_and_then_told_of(own_engine: RunningEngine) -> None:
    own_engine.start(HOMEPORT_CLOCK_SPEED="30")
    role(
        own_engine,
        "function",
        "lambda.amazonaws.com",
        SQS,
        "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess",
    )
    create(own_engine, SOURCE)
    sqs, functions = own_engine.client("sqs"), own_engine.client("lambda")
    url = sqs.create_queue(QueueName="failures")["QueueUrl"]
    queue = f"arn:aws:sqs:{own_engine.region}:{own_engine.account}:failures"
    functions.put_function_event_invoke_config(
        FunctionName="f", DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    id = send(own_engine, number=1, fails=True)
    (message,) = until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"] == {"number": 1, "fails": True}
    assert record["responsePayload"]["errorMessage"] == "no"
    until(lambda: log_of(own_engine).count(f"got 1 as {id}") == 3)


def test_no_more_run_at_a_time_than_are_reserved(engine: RunningEngine) -> None:
    role(engine)
    create(engine, SOURCE)
    functions = engine.client("lambda")
    functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    try:
        functions.invoke(FunctionName="f", Payload=b'{"number": 1}')
        raise AssertionError("it was not throttled")
    except functions.exceptions.TooManyRequestsException as error:
        assert error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    send(engine, number=2)
    functions.delete_function_concurrency(FunctionName="f")
    until(lambda: "got 2" in log_of(engine))
