"""Subscription filters: log events that match are handed to a Lambda function as they come.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import uuid
from collections.abc import Sequence
from sqlite3 import Row
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.logs.files import Event
from homeport.engine.services.logs.filter_patterns import compile_filter, compiled
from homeport.engine.services.logs.groups import SUBSCRIPTION_FILTERS, find_group, millis
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

MAX_FILTERS = 2
"""Filters of one log group."""

_FINAL = ("AccessDeniedException", "ResourceNotFoundException", "RequestTooLargeException")
_WAITS = (1, 1, 2, 5, 10, 20, 60, 120, 300, 600)
_UNSUPPORTED = ("roleArn", "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields")


@operation
async def put_subscription_filter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    group = find_group(ctx, request["logGroupName"])["logGroupName"]
    compiled(request["filterPattern"])
    destination = request["destinationArn"]
    if destination.split(":")[2:3] != ["lambda"]:
        raise AwsError(
            "InvalidParameterException",
            f"homeport hands log events to Lambda functions only; {destination} is none.",
        )
    if given := [name for name in _UNSUPPORTED if request.get(name)]:
        raise AwsError(
            "InvalidParameterException", f"homeport's filters for Lambda functions take no {given[0]}."
        )
    await _check_function(ctx, group, destination)
    with ctx.store.transaction():
        others = [
            each
            for each in SUBSCRIPTION_FILTERS.list(ctx, group)
            if each["filterName"] != request["filterName"]
        ]
        if len(others) >= MAX_FILTERS:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        SUBSCRIPTION_FILTERS.put(
            ctx,
            {
                "logGroupName": group,
                "filterName": request["filterName"],
                "filterPattern": request["filterPattern"],
                "destinationArn": destination,
                "distribution": request.get("distribution", "ByLogStream"),
                "applyOnTransformedLogs": False,
                "creationTime": millis(ctx),
            },
        )
    return {}


async def _check_function(ctx: Context, group: str, destination: str) -> None:
    try:
        await _client(ctx, group, destination).invoke(FunctionName=destination, InvocationType="DryRun")
    except AwsError as error:
        raise AwsError(
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
            f"your function. ({error.message})",
        ) from None


def _client(ctx: Context, group: str, destination: str) -> Any:
    """Lambda, called on account of the log group: the function's resource policy has to admit logs.amazonaws.com."""
    source = ctx.on_account_of(f"{ctx.arn(f'log-group:{group}')}:*")
    return source.client("lambda", as_service=True, region=destination.split(":")[3])


@operation
async def delete_subscription_filter(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteSubscriptionFilter.html"""
    group = find_group(ctx, request["logGroupName"])["logGroupName"]
    if not SUBSCRIPTION_FILTERS.delete(ctx, group, request["filterName"]):
        raise AwsError("ResourceNotFoundException", "The specified subscription filter does not exist.")
    return {}


@operation
async def describe_subscription_filters(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html"""
    group = find_group(ctx, request["logGroupName"])["logGroupName"]
    prefix = request.get("filterNamePrefix") or ""
    found, token = page(
        [each for each in SUBSCRIPTION_FILTERS.list(ctx, group) if each["filterName"].startswith(prefix)],
        request.get("limit", 50),
        request.get("nextToken"),
        lambda each: each["filterName"],
        "InvalidParameterException",
    )
    return {"subscriptionFilters": found, "nextToken": token}


def deliver(ctx: Context, stream: Row, events: Sequence[tuple[int, str]]) -> None:
    """Hand new events (timestamp, message) of a stream, which the row shows as it was before them, to the subscribers
    of its group; call it in the transaction that keeps them."""
    for each in SUBSCRIPTION_FILTERS.list(ctx, stream["log_group"]):
        if found := _matching(each, stream, events):
            message = {
                "messageType": "DATA_MESSAGE",
                "owner": ctx.account,
                "logGroup": stream["log_group"],
                "logStream": stream["name"],
                "subscriptionFilters": [each["filterName"]],
                "logEvents": found,
            }
            data = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
            work = {"group": stream["log_group"], "filter": each["filterName"], "data": data}
            ctx.start(DELIVERY, uuid.uuid4().hex, work)


def _matching(subscription: Body, stream: Row, events: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """The events that a filter takes, with the fields that a pattern of fields names in them."""
    matches = compile_filter(subscription["filterPattern"])
    has_fields = subscription["filterPattern"].strip().startswith("[")
    found = []
    for ordinal, (timestamp, message) in enumerate(events, stream["events"]):
        values = matches(message)
        if values is None:
            continue
        event = Event(timestamp, stream["id"], ordinal, 0, message)
        shown: dict[str, Any] = {"id": event.id, "timestamp": timestamp, "message": message}
        if has_fields:
            shown["extractedFields"] = {name.removeprefix("$"): value for name, value in values.items()}
        found.append(shown)
    return found


async def _deliver(x: Execution) -> None:
    group = x.input["group"]
    payload = json.dumps({"awslogs": {"data": x.input["data"]}}).encode()
    for attempt, wait in enumerate((*_WAITS, None), 1):
        subscription = SUBSCRIPTION_FILTERS.get(x.ctx, group, x.input["filter"])
        if subscription is None:
            return
        destination = subscription["destinationArn"]

        async def send(destination: str = destination) -> None:
            client = _client(x.ctx, group, destination)
            await client.invoke(FunctionName=destination, InvocationType="Event", Payload=payload)

        try:
            await x.step(f"send-{attempt}", send)
            return
        except AwsError as error:
            if wait is None or error.code in _FINAL:
                raise
        await x.sleep(f"wait-{attempt}", float(wait))


async def _give_up(x: Execution, error: Exception) -> None:
    log.warning(
        "the subscription filter %s of %s lost log events: %s", x.input["filter"], x.input["group"], error
    )


DELIVERY = ExecutionKind("logs.delivery", _deliver, _give_up)
