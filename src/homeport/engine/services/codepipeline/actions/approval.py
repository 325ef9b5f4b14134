"""Approval Manual: waits for PutApprovalResult.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-action-add.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from homeport.engine.services.codepipeline import tables
from homeport.engine.services.codepipeline.actions.contract import (
    DAY,
    ActionFailed,
    ActionProvider,
    ActionResult,
    ActionTypeId,
    Property,
)

if TYPE_CHECKING:
    from homeport.engine.services.codepipeline.running import Running


def topic(action_execution_id: str) -> str:
    """Notified when an answer is given."""
    return f"codepipeline.approval:{action_execution_id}"


async def _run(running: Running) -> ActionResult:
    row = running.row
    running.note(token=str(uuid.UUID(running.x.token("approval"))), expires=running.deadline)
    if arn := running.configuration.get("NotificationArn"):
        await running.x.step("notify", lambda: _notify(running, arn))

    async def answered() -> dict[str, Any] | None:
        current = tables.ACTIONS.get(running.ctx, row["pipelineName"], row["sequence"])
        return (current or {}).get("approval")

    answer = await running.until(answered, [topic(row["actionExecutionId"])], every=60)
    if answer["status"] == "Rejected":
        raise ActionFailed(
            f"Approval rejected. Comments: {answer['summary']}" if answer["summary"] else "Approval rejected."
        )
    return ActionResult(summary=answer["summary"])


async def _notify(running: Running, topic_arn: str) -> dict[str, str]:
    configuration, row = running.configuration, running.row
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{row['pipelineName']}/view"
    message = {
        "region": running.region,
        "consoleLink": f"{console}?region={running.ctx.region}",
        "approval": {
            "pipelineName": row["pipelineName"],
            "stageName": row["stageName"],
            "actionName": row["actionName"],
            "token": row["token"],
            "expires": datetime.fromtimestamp(row["expires"], UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "externalEntityLink": configuration.get("ExternalEntityLink"),
            "approvalReviewLink": f"{console}#/{row['stageName']}/{row['actionName']}/approve/{row['token']}",
            "customData": configuration.get("CustomData"),
        },
    }
    subject = f"APPROVAL NEEDED: AWS CodePipeline {row['pipelineName']} for action {row['actionName']}"
    answer = await running.client("sns").publish(
        TopicArn=topic_arn, Subject=subject[:100], Message=json.dumps(message)
    )
    return {"messageId": answer["MessageId"]}


PROVIDER = ActionProvider(
    type=ActionTypeId("Approval", "AWS", "Manual"),
    inputs=(0, 0),
    outputs=(0, 0),
    properties=(Property("CustomData"), Property("ExternalEntityLink"), Property("NotificationArn")),
    run=_run,
    timeout=7 * DAY,
)
