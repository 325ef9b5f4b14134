"""Telling of deployments: EventBridge events, and the SNS topics of a group's triggers.
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications.html"""

from __future__ import annotations

import json
import logging
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

log = logging.getLogger(__name__)

_STATES = {
    "Succeeded": "SUCCESS",
    "Failed": "FAILURE",
    "Stopped": "STOP",
    "InProgress": "START",
    "Ready": "READY",
}


def emit(ctx: Context, row: Body) -> None:
    """Send the event of the deployment's status, in the transaction that writes it."""
    info = row["info"]
    detail = {
        "region": ctx.region,
        "deploymentId": row["deploymentId"],
        "state": _STATES[info["status"]],
    }
    arns = []
    if "applicationName" in info:  # a stack's deployment has none
        application, group = info["applicationName"], info["deploymentGroupName"]
        detail |= {
            "instanceGroupId": row["group"]["deploymentGroupId"],
            "deploymentGroup": group,
            "application": application,
        }
        arns = [ctx.arn(f"application:{application}"), ctx.arn(f"deploymentgroup:{application}/{group}")]
    ctx.emit("aws.codedeploy", "CodeDeploy Deployment State-change Notification", detail, arns)


async def publish(ctx: Context, row: Body, event: str) -> None:
    """Send a message to each topic whose trigger names the event (`DeploymentStart`), as the group's role. A topic
    that does not take it is left out, as on AWS."""
    for trigger in row["group"].get("triggerConfigurations") or []:
        if event not in trigger["triggerEvents"]:
            continue
        message = json.dumps(_message(ctx, row, trigger["triggerName"]))
        subject = (
            f"{row['info']['status'].upper()}: AWS CodeDeploy {row['deploymentId']} in {ctx.region} to "
            f"{row['info']['applicationName']}"
        )
        try:
            await ctx.client("sns", role=row["group"]["serviceRoleArn"]).publish(
                TopicArn=trigger["triggerTargetArn"], Message=message, Subject=subject[:100]
            )
        except AwsError as error:
            log.warning(
                "the trigger %s of %s: %s", trigger["triggerName"], row["deploymentId"], error.message
            )


def _overview(row: Body) -> dict[str, int]:
    states = ("Succeeded", "Failed", "Skipped", "InProgress", "Pending")
    return {state: int(row["target"]["status"] == state) for state in states}


def _message(ctx: Context, row: Body, trigger: str) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html"""
    info = row["info"]
    message = {
        "region": ctx.region,
        "accountId": ctx.account,
        "eventTriggerName": trigger,
        "applicationName": info["applicationName"],
        "deploymentId": row["deploymentId"],
        "deploymentGroupName": info["deploymentGroupName"],
        "createTime": _time(info["createTime"]),
        "completeTime": _time(info["completeTime"]) if info.get("completeTime") else None,
        "deploymentOverview": json.dumps(_overview(row)),
        "status": info["status"].upper(),
    }
    if error := info.get("errorInformation"):
        message["errorInformation"] = {"ErrorCode": error["code"], "ErrorMessage": error["message"]}
    if rollback := info.get("rollbackInfo"):
        message["rollbackInformation"] = {
            f"{member[0].upper()}{member[1:]}": value for member, value in rollback.items()
        }
    return message


def _time(value: float) -> str:
    return f"{value:.3f}"
