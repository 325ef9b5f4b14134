"""What a bucket tells of its objects: events to EventBridge, and messages to topics, queues and functions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.services.s3.versions import Version
from homeport.engine.store.table import Body
from homeport.engine.wire.codecs.values import iso8601
from homeport.engine.wire.errors import AwsError

_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_KINDS = {"Topic": "TopicArn", "Queue": "QueueArn", "LambdaFunction": "LambdaFunctionArn"}


def notify(ctx: Context, bucket: Body, version: Version, event: str, reason: str) -> None:
    """Tell of `event` (`ObjectCreated:Put`, …) as the bucket's configuration wants; call it in the transaction that
    changes the object. `reason` is the operation, or `Lifecycle Expiration`."""
    settings = bucket["settings"].get("notification")
    if not settings:
        return
    if settings.get("EventBridgeConfiguration") is not None:
        _emit(ctx, bucket, version, event, reason)
    for destination in _destinations(settings, event, version.key):
        message = {
            "destination": destination,
            "record": _record(ctx, bucket, version, event, destination["id"]),
        }
        ctx.within(_scope(ctx, bucket)).start(DELIVERY, uuid.uuid4().hex, message)


def _scope(ctx: Context, bucket: Body) -> Any:
    return type(ctx.scope)(bucket["Owner"], bucket["Region"])


def _emit(ctx: Context, bucket: Body, version: Version, event: str, reason: str) -> None:
    detail_type = _DETAIL_TYPES.get(event) or _DETAIL_TYPES[event.partition(":")[0]]
    thing: dict[str, Any] = {"key": version.key}
    if detail_type == "Object Created":
        thing |= {"size": version.size, "etag": version.etag}
    elif not version.marker and version.etag:
        thing |= {"etag": version.etag}
    if version.version != "null":
        thing["version-id"] = version.version
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket["Name"]},
        "object": {**thing, "sequencer": f"{version.sequence:018X}"},
        "request-id": ctx.request_id.replace("-", "").upper()[:16],
        "requester": ctx.principal.account,
    }
    if ctx.call:
        detail["source-ip-address"] = ctx.call.source_ip
    if reason:
        detail["reason"] = reason
    if detail_type == "Object Deleted":
        detail["deletion-type"] = "Delete Marker Created" if version.marker else "Permanently Deleted"
    arn = f"arn:aws:s3:::{bucket['Name']}"
    ctx.within(_scope(ctx, bucket)).emit("aws.s3", detail_type, detail, [arn])


def _destinations(settings: dict[str, Any], event: str, key: str) -> Iterator[dict[str, str]]:
    for kind, member in _KINDS.items():
        for configuration in settings.get(f"{kind}Configurations", ()):
            if _wants(configuration, event, key):
                yield {"kind": kind, "arn": configuration[member], "id": configuration["Id"]}


def _wants(configuration: dict[str, Any], event: str, key: str) -> bool:
    events = {name.removeprefix("s3:") for name in configuration["Events"]}
    group = event.partition(":")[0]
    if not events & {event, f"{group}:*"}:
        return False
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return all(
        key.startswith(rule["Value"]) if rule["Name"].lower() == "prefix" else key.endswith(rule["Value"])
        for rule in rules
    )


def _record(
    ctx: Context, bucket: Body, version: Version, event: str, configuration_id: str
) -> dict[str, Any]:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket["Region"],
        "eventTime": iso8601(ctx.now()),
        "eventName": event,
        "userIdentity": {"principalId": ctx.principal.id},
        "requestParameters": {"sourceIPAddress": ctx.call.source_ip if ctx.call else "s3.amazonaws.com"},
        "responseElements": {"x-amz-request-id": ctx.request_id, "x-amz-id-2": "homeport"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": bucket["Name"],
                "ownerIdentity": {"principalId": bucket["Owner"]},
                "arn": f"arn:aws:s3:::{bucket['Name']}",
            },
            "object": {
                "key": quote_plus(version.key, safe="/"),
                "size": version.size,
                "eTag": version.etag,
                **({"versionId": version.version} if version.version != "null" else {}),
                "sequencer": f"{version.sequence:018X}",
            },
        },
    }


async def _deliver(x: Execution) -> None:
    destination = x.input["destination"]
    body = json.dumps({"Records": [x.input["record"]]})

    async def send() -> None:
        await _send(x.ctx.on_account_of(x.input["record"]["s3"]["bucket"]["arn"]), destination, body)

    for attempt in range(_ATTEMPTS):
        try:
            await x.step(f"send-{attempt}", send)
            return
        except AwsError:
            if attempt == _ATTEMPTS - 1:
                raise
        await x.sleep(f"wait-{attempt}", 2.0**attempt)


_ATTEMPTS = 6


async def _send(ctx: Context, destination: dict[str, str], body: str) -> None:
    arn = destination["arn"]
    region = arn.split(":")[3]
    if destination["kind"] == "Topic":
        sns = ctx.client("sns", as_service=True, region=region)
        await sns.publish(TopicArn=arn, Message=body, Subject="Amazon S3 Notification")
    elif destination["kind"] == "Queue":
        sqs = ctx.client("sqs", as_service=True, region=region)
        url = await sqs.get_queue_url(QueueName=arn.split(":")[5], QueueOwnerAWSAccountId=arn.split(":")[4])
        await sqs.send_message(QueueUrl=url["QueueUrl"], MessageBody=body)
    else:
        function = ctx.client("lambda", as_service=True, region=region)
        await function.invoke(FunctionName=arn, InvocationType="Event", Payload=body.encode())


async def _give_up(x: Execution, error: Exception) -> None:
    """S3 drops a notification that cannot be delivered."""


DELIVERY = ExecutionKind("s3.notification", _deliver, _give_up)
