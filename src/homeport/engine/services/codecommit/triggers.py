"""Repository triggers: SNS topics and Lambda functions that are told of changed references.

https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-notify.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.codecommit.tables import Row
from homeport.engine.services.context import Context

_EVENTS = {
    "referenceCreated": "createReference",
    "referenceUpdated": "updateReference",
    "referenceDeleted": "deleteReference",
}


def wanted(repository: Row, event: str, kind: str, name: str) -> list[Row]:
    """The repository's triggers for a change; branches given in a trigger leave out all others."""
    return [
        trigger
        for trigger in repository.get("triggers", ())
        if ("all" in trigger["events"] or _EVENTS[event] in trigger["events"])
        and (not trigger.get("branches") or (kind == "branch" and name in trigger["branches"]))
    ]


async def fire(ctx: Context, trigger: Row, repository_name: str, detail: dict[str, Any]) -> None:
    """Hand the change to the trigger's destination. Raises AwsError."""
    message = json.dumps({"Records": [_record(ctx, trigger, repository_name, detail)]})
    arn = trigger["destinationArn"]
    if arn.split(":")[2] == "sns":
        await ctx.client("sns", as_service=True).publish(
            TopicArn=arn,
            Message=message,
            Subject=f"UPDATE: AWS CodeCommit {ctx.region} push: {repository_name}",
        )
    else:
        source = ctx.on_account_of(ctx.arn(repository_name))
        await source.client("lambda", as_service=True).invoke(
            FunctionName=arn, InvocationType="Event", Payload=message.encode()
        )


def _record(ctx: Context, trigger: Row, repository_name: str, detail: dict[str, Any]) -> dict[str, Any]:
    reference: dict[str, Any] = {
        "commit": detail.get("commitId") or detail.get("oldCommitId"),
        "ref": detail["referenceFullName"],
    }
    if detail["event"] == "referenceCreated":
        reference["created"] = True
    if detail["event"] == "referenceDeleted":
        reference["deleted"] = True
    return {
        "awsRegion": ctx.region,
        "codecommit": {"references": [reference]},
        "customData": trigger.get("customData", ""),
        "eventId": detail.get("commitId") or detail["repositoryId"],
        "eventName": "ReferenceChanges",
        "eventPartNumber": 1,
        "eventSource": "aws:codecommit",
        "eventSourceARN": ctx.arn(repository_name),
        "eventTime": datetime.fromtimestamp(ctx.now(), UTC).isoformat(timespec="milliseconds"),
        "eventTotalParts": 1,
        "eventTriggerConfigId": trigger.get("configurationId", ""),
        "eventTriggerName": trigger["name"],
        "eventVersion": "1.0",
        "userIdentityARN": detail["callerUserArn"],
    }


async def _run(x: Execution) -> None:
    async def send() -> None:
        await fire(x.ctx, x.input["trigger"], x.input["repositoryName"], x.input["detail"])

    await x.step("send", send)


async def _failed(x: Execution, error: Exception) -> None:
    """A trigger whose destination refuses is dropped, as on AWS."""


TRIGGER = ExecutionKind("codecommit.trigger", _run, _failed)
