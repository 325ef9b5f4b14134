"""Asynchronous invocations: durable, tried again, at last told to a destination or a dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.lambda_.environment import Invocation
from homeport.engine.services.lambda_.invoking import invoke_now
from homeport.engine.services.lambda_.names import arn_of, version_of
from homeport.engine.services.lambda_.tables import EVENT_CONFIGS, LATEST, Row
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

MAX_AGE = 6 * 3600
RETRIES = 2
_AFTER_ERROR = (60.0, 120.0)
_LONGEST_WAIT = 300.0
_NOT_NOW = ("TooManyRequestsException", "ServiceException", "ResourceConflictException")


async def _run(x: Execution) -> None:
    """Invoke until the function returns, its retries are used up, or the event is too old."""
    ctx, name, qualifier = x.ctx, x.input["name"], x.input["qualifier"]
    errors = throttles = 0
    for attempt in range(10**6):
        config = event_config(ctx, name, qualifier)

        async def invoke() -> Row:
            return await _attempt(ctx, x.input)

        outcome = await x.step(f"invoke-{attempt}", invoke)
        if outcome.get("error") is None and not outcome.get("refused"):
            await _tell(x, config, "OnSuccess", "Success", outcome, attempt + 1)
            return
        if outcome.get("refused"):
            wait = min(2.0**throttles, _LONGEST_WAIT)
            throttles += 1
        else:
            if errors >= config["MaximumRetryAttempts"]:
                await _tell(x, config, "OnFailure", "RetriesExhausted", outcome, attempt + 1)
                return
            wait = _AFTER_ERROR[min(errors, len(_AFTER_ERROR) - 1)]
            errors += 1
        if outcome["at"] + wait - x.input["at"] > config["MaximumEventAgeInSeconds"]:
            await _tell(x, config, "OnFailure", "EventAgeExceeded", outcome, attempt + 1)
            return
        await x.sleep(f"wait-{attempt}", wait)


async def _attempt(ctx: Context, given: Row) -> Row:
    try:
        version = version_of(ctx, given["name"], given["qualifier"])
        invocation = Invocation(
            given["request_id"], given["payload"].encode(), given["arn"], given["client_context"]
        )
        outcome = await invoke_now(ctx, version, invocation)
    except AwsError as error:
        if error.code not in _NOT_NOW:
            raise
        return {"refused": True, "error": error.code, "payload": error.message, "at": ctx.now()}
    return {
        "error": outcome.error,
        "payload": outcome.payload.decode(errors="replace"),
        "version": version["Version"],
        "at": ctx.now(),
    }


def event_config(ctx: Context, name: str, qualifier: str | None) -> Row:
    """How asynchronous invocations are handled.
    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html"""
    found = EVENT_CONFIGS.get(ctx, name, qualifier or LATEST) or {}
    return {
        "MaximumRetryAttempts": RETRIES,
        "MaximumEventAgeInSeconds": MAX_AGE,
        "DestinationConfig": {},
        **found,
    }


async def _tell(x: Execution, config: Row, kind: str, condition: str, outcome: Row, attempts: int) -> None:
    """Hand the result to the destination, and a failed event to the dead-letter queue."""
    destination = config["DestinationConfig"].get(kind, {}).get("Destination")
    version = version_of(x.ctx, x.input["name"], x.input["qualifier"])
    role = version["configuration"]["Role"]

    async def tell() -> None:
        if destination:
            await _send(x.ctx, destination, role, _record(x, condition, outcome, attempts), kind)
        dead = version["configuration"].get("DeadLetterConfig", {}).get("TargetArn")
        if dead and kind == "OnFailure":
            await _send(x.ctx, dead, role, json.loads(x.input["payload"]), kind)

    try:
        await x.step("tell", tell)
    except AwsError as error:
        log.warning("the result of %s was not delivered: %s", x.input["arn"], error)


def _record(x: Execution, condition: str, outcome: Row, attempts: int) -> dict[str, Any]:
    now = datetime.fromtimestamp(x.ctx.now(), UTC)
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": outcome.get("version", LATEST)}
    if outcome["error"]:
        response["functionError"] = outcome["error"]
    return {
        "version": "1.0",
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": x.input["request_id"],
            "functionArn": arn_of(x.ctx, x.input["name"], x.input["qualifier"] or LATEST),
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(x.input["payload"]),
        "responseContext": response,
        "responsePayload": _as_json(outcome["payload"]),
    }


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _send(ctx: Context, arn: str, role: str, message: Any, kind: str) -> None:
    """Deliver to a queue, a topic, a function or a bus, with the permissions of the function's role."""
    _, _, service, region, account, resource = arn.split(":", 5)
    text = json.dumps(message)
    client = ctx.client({"events": "events"}.get(service, service), role=role, region=region)
    if service == "sqs":
        url = (await client.get_queue_url(QueueName=resource, QueueOwnerAWSAccountId=account))["QueueUrl"]
        await client.send_message(QueueUrl=url, MessageBody=text)
    elif service == "sns":
        await client.publish(TopicArn=arn, Message=text)
    elif service == "lambda":
        await client.invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
    elif service == "events":
        detail_type = f"Lambda Function Invocation Result - {'Success' if kind == 'OnSuccess' else 'Failure'}"
        entry = {"Source": "lambda", "DetailType": detail_type, "Detail": text, "EventBusName": arn}
        await client.put_events(Entries=[entry])


async def _failed(x: Execution, error: Exception) -> None:
    """The function is gone, or its role: the event is dropped, as on AWS."""
    log.warning("an event for %s was dropped: %s", x.input["arn"], error)


EVENT = ExecutionKind("lambda.event", _run, _failed)
