"""How each kind of target takes an event: one call of its service, with the target's role where it has one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from homeport.engine.services.context import Client, Context
from homeport.engine.services.log_events import unless_there
from homeport.engine.wire.errors import AwsError

Target = dict[str, Any]


class Destination(NamedTuple):
    """`send(ctx, target, text, id)` delivers; `id` is the same whenever the same delivery is tried again."""

    send: Callable[[Context, Target, str, str], Awaitable[None]]
    needs_role: bool


def service_of(arn: str) -> str:
    """The service that an ARN belongs to."""
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""


def _client(ctx: Context, service: str, target: Target) -> Client:
    role = target.get("RoleArn")
    region = target["Arn"].split(":")[3] or None
    return ctx.client(service, role=role, as_service=role is None, region=region)


def _overrides(text: str) -> dict[str, Any]:
    """What the input asks of a call; a whole event asks nothing."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "detail-type" not in value else {}


async def _pipeline(ctx: Context, target: Target, text: str, id: str) -> None:
    name = target["Arn"].split(":")[5]
    wanted = {
        member: value
        for member, value in _overrides(text).items()
        if member in ("sourceRevisions", "variables")
    }
    await _client(ctx, "codepipeline", target).start_pipeline_execution(
        name=name, clientRequestToken=id, **wanted
    )


async def _build(ctx: Context, target: Target, text: str, id: str) -> None:
    name = target["Arn"].rpartition("project/")[2]
    wanted = {**_overrides(text), "projectName": name, "idempotencyToken": id}
    await _client(ctx, "codebuild", target).start_build(**wanted)


async def _topic(ctx: Context, target: Target, text: str, id: str) -> None:
    await _client(ctx, "sns", target).publish(TopicArn=target["Arn"], Message=text)


async def _queue(ctx: Context, target: Target, text: str, id: str) -> None:
    await send_to_queue(ctx, target["Arn"], text, target.get("SqsParameters", {}).get("MessageGroupId"), id)


async def send_to_queue(ctx: Context, arn: str, text: str, group: str | None, id: str) -> None:
    """Put a message into the queue of this ARN."""
    _, _, _, region, account, name = arn.split(":")
    sqs = ctx.client("sqs", as_service=True, region=region)
    url = (await sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account))["QueueUrl"]
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": id} if group else {}
    await sqs.send_message(QueueUrl=url, MessageBody=text, **fifo)


async def _log_group(ctx: Context, target: Target, text: str, id: str) -> None:
    group = target["Arn"].split(":log-group:")[1].removesuffix(":*")
    logs = _client(ctx, "logs", target)
    await unless_there(logs.create_log_stream(logGroupName=group, logStreamName=id))
    event = {"timestamp": int(ctx.now() * 1000), "message": text}
    await logs.put_log_events(logGroupName=group, logStreamName=id, logEvents=[event])


async def _function(ctx: Context, target: Target, text: str, id: str) -> None:
    await _client(ctx, "lambda", target).invoke(
        FunctionName=target["Arn"], InvocationType="Event", Payload=text.encode()
    )


async def _task(ctx: Context, target: Target, text: str, id: str) -> None:
    settings = target["EcsParameters"]
    names = {
        "TaskDefinitionArn": "taskDefinition",
        "TaskCount": "count",
        "LaunchType": "launchType",
        "PlatformVersion": "platformVersion",
        "Group": "group",
        "EnableECSManagedTags": "enableECSManagedTags",
        "EnableExecuteCommand": "enableExecuteCommand",
        "PropagateTags": "propagateTags",
        "ReferenceId": "referenceId",
    }
    wanted: dict[str, Any] = {names[name]: value for name, value in settings.items() if name in names}
    if network := settings.get("NetworkConfiguration", {}).get("awsvpcConfiguration"):
        lowered = {name[0].lower() + name[1:]: value for name, value in network.items()}
        wanted["networkConfiguration"] = {"awsvpcConfiguration": lowered}
    if tags := settings.get("Tags"):
        wanted["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
    if overrides := _overrides(text):
        wanted["overrides"] = overrides
    answer = await _client(ctx, "ecs", target).run_task(
        cluster=target["Arn"], clientToken=id, startedBy=f"events-rule/{id[:24]}", **wanted
    )
    if failures := answer.get("failures"):
        raise AwsError("TaskFailedToStart", str(failures[0].get("reason", "no reason was given")))


async def _bus(ctx: Context, target: Target, text: str, id: str) -> None:
    from homeport.engine.services.events.publishing import accept
    from homeport.engine.store.database import Scope

    _, _, _, region, account, path = target["Arn"].split(":", 5)
    event = json.loads(text)
    with ctx.store.transaction():
        accept(ctx.within(Scope(account, region)), path.rpartition("/")[2], [event])


async def _state_machine(ctx: Context, target: Target, text: str, id: str) -> None:
    await _client(ctx, "stepfunctions", target).start_execution(
        stateMachineArn=target["Arn"], name=id, input=text
    )


DESTINATIONS = {
    "codepipeline": Destination(_pipeline, needs_role=True),
    "codebuild": Destination(_build, needs_role=True),
    "ecs": Destination(_task, needs_role=True),
    "events": Destination(_bus, needs_role=False),
    "lambda": Destination(_function, needs_role=False),
    "logs": Destination(_log_group, needs_role=False),
    "sns": Destination(_topic, needs_role=False),
    "sqs": Destination(_queue, needs_role=False),
    "states": Destination(_state_machine, needs_role=True),
}
