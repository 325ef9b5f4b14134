"""The states of alarms: their history, the events that tell of changes, and the actions that follow them."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.services.context import Context
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

ALARMS = Table("cloudwatch_alarms", key=("AlarmName",), columns=("kind",))
EVALUATION = "cloudwatch.alarm"

_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_FINAL = ("AccessDeniedException", "NotImplemented", "NotFound", "ResourceNotFoundException")
_WAITS = (1.0, 5.0, 30.0, 120.0)


def change_state(ctx: Context, alarm: Body, state: str, reason: str, data: str | None) -> None:
    """Put the alarm into a state, in the running transaction; when it is another one than before, history tells of
    it, EventBridge hears of it, the alarm's actions run, and whoever waits for the topic `cloudwatch.alarm:<ARN>` is
    notified."""
    old, now = alarm["StateValue"], ctx.now()
    changed = {
        **alarm,
        "StateValue": state,
        "StateReason": reason,
        "StateReasonData": data,
        "StateUpdatedTimestamp": now,
    }
    if state != old:
        changed["StateTransitionedTimestamp"] = now
    ALARMS.put(ctx, changed)
    if state == old:
        return
    ctx.notify(f"cloudwatch.alarm:{alarm['AlarmArn']}")
    name, kind = alarm["AlarmName"], alarm["kind"]
    summary = f"Alarm updated from {old} to {state}"
    before = {"stateValue": old, "stateReason": alarm["StateReason"]}
    after = {"stateValue": state, "stateReason": reason}
    add_history(
        ctx, name, kind, "StateUpdate", summary, {"version": "1.0", "oldState": before, "newState": after}
    )
    detail = _detail(alarm, changed)
    ctx.emit("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm["AlarmArn"]])
    if alarm["ActionsEnabled"]:
        for arn in alarm[_ACTIONS[state]]:
            ctx.start(ACTION, uuid.uuid4().hex, {"arn": arn, "old": old, "alarm": changed, "detail": detail})
    for composite in ALARMS.list(ctx, kind="CompositeAlarm"):
        ctx.wake(EVALUATION, composite["AlarmName"])


def add_history(ctx: Context, alarm: str, kind: str, what: str, summary: str, data: dict[str, Any]) -> None:
    """Note something about an alarm."""
    item = {
        "AlarmName": alarm,
        "AlarmType": kind,
        "Timestamp": ctx.now(),
        "HistoryItemType": what,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data),
    }
    ctx.store.execute(
        "INSERT INTO cloudwatch_history (account, region, alarm, time, body) VALUES (?, ?, ?, ?, ?)",
        *ctx.scope,
        alarm,
        ctx.now(),
        json.dumps(item),
    )


def _detail(old: Body, new: Body) -> dict[str, Any]:
    """What EventBridge and functions are told of a change.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""

    def state(alarm: Body) -> dict[str, Any]:
        shown = {
            "value": alarm["StateValue"],
            "reason": alarm["StateReason"],
            "timestamp": _iso(alarm["StateUpdatedTimestamp"]),
        }
        return {**shown, "reasonData": alarm["StateReasonData"]} if alarm.get("StateReasonData") else shown

    configuration: dict[str, Any] = {"description": new.get("AlarmDescription", "")}
    if "AlarmRule" in new:
        configuration["alarmRule"] = new["AlarmRule"]
    elif "MetricName" in new:
        stat = {"metric": _metric(new), "period": new["Period"]}
        stat["stat"] = new.get("Statistic") or new.get("ExtendedStatistic")
        configuration["metrics"] = [{"id": "m1", "metricStat": stat, "returnData": True}]
    else:
        configuration["metrics"] = [_query(each) for each in new.get("Metrics") or ()]
    return {
        "alarmName": new["AlarmName"],
        "state": state(new),
        "previousState": state(old),
        "configuration": configuration,
    }


def _metric(given: Body) -> dict[str, Any]:
    dimensions = {each["Name"]: each["Value"] for each in given.get("Dimensions") or ()}
    return {"namespace": given["Namespace"], "name": given["MetricName"], "dimensions": dimensions}


def _query(given: Body) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": given["Id"], "returnData": given.get("ReturnData", True)}
    if "Expression" in given:
        return {**shown, "expression": given["Expression"], "label": given.get("Label", given["Id"])}
    stat = given["MetricStat"]
    return {
        **shown,
        "metricStat": {
            "metric": _metric(stat["Metric"]),
            "period": stat["Period"],
            "stat": stat["Stat"],
        },
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


async def _act(x: Execution) -> None:
    arn, alarm = x.input["arn"], x.input["alarm"]
    for attempt, wait in enumerate((*_WAITS, None), 1):

        async def act() -> None:
            await _perform(x.ctx, arn, x.input)

        def note(_: None) -> None:
            summary = f"Successfully executed action {arn}"
            add_history(
                x.ctx, alarm["AlarmName"], alarm["kind"], "Action", summary, {"actionState": "Succeeded"}
            )

        try:
            await x.step(f"act-{attempt}", act, note)
            return
        except AwsError as error:
            if wait is None or error.code in _FINAL:
                raise
        await x.sleep(f"wait-{attempt}", wait)


async def _perform(ctx: Context, arn: str, change: Body) -> None:
    service, region = arn.split(":")[2:4]
    alarm = change["alarm"]
    if service == "sns":
        message = json.dumps(_message(ctx, alarm, change["old"]))
        subject = f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {ctx.region}'[:100]
        sns = ctx.client("sns", as_service=True, region=region)
        await sns.publish(TopicArn=arn, Subject=subject, Message=message)
    elif service == "lambda":
        alarms = ctx.engine.context("lambda.alarms.cloudwatch", ctx.scope).on_account_of(alarm["AlarmArn"])
        function = alarms.client("lambda", as_service=True, region=region)
        payload = json.dumps(_event(ctx, alarm, change["detail"])).encode()
        await function.invoke(FunctionName=arn, InvocationType="Event", Payload=payload)
    elif service == "autoscaling" and ":resource/ecs/" in arn:
        # the policy looks at its alarms' states itself
        resource = arn.split(":resource/ecs/")[1].split(":")[0]
        ctx.wake("application-autoscaling.target", resource)
    else:
        raise AwsError(
            "NotImplemented",
            f"homeport's alarms act on SNS topics, Lambda functions and scaling policies, not on {arn}.",
            501,
        )


def _event(ctx: Context, alarm: Body, detail: Body) -> dict[str, Any]:
    """What an alarm's function gets.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html"""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": ctx.account,
        "time": _iso(alarm["StateUpdatedTimestamp"]),
        "region": ctx.region,
        "alarmData": detail,
    }


def _message(ctx: Context, alarm: Body, old: str) -> dict[str, Any]:
    """What an alarm's topic gets."""
    trigger: dict[str, Any] = {}
    if "MetricName" in alarm:
        trigger = {
            "MetricName": alarm["MetricName"],
            "Namespace": alarm["Namespace"],
            "StatisticType": "Statistic" if alarm.get("Statistic") else "ExtendedStatistic",
            "Statistic": (alarm.get("Statistic") or alarm.get("ExtendedStatistic", "")).upper(),
            "Unit": alarm.get("Unit"),
            "Dimensions": [
                {"value": each["Value"], "name": each["Name"]} for each in alarm.get("Dimensions") or ()
            ],
            "Period": alarm["Period"],
            "EvaluationPeriods": alarm["EvaluationPeriods"],
            "DatapointsToAlarm": alarm.get("DatapointsToAlarm"),
            "ComparisonOperator": alarm["ComparisonOperator"],
            "Threshold": alarm["Threshold"],
            "TreatMissingData": alarm.get("TreatMissingData", "missing"),
            "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile", ""),
        }
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": ctx.account,
        "AlarmConfigurationUpdatedTimestamp": _iso(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": _iso(alarm["StateUpdatedTimestamp"]),
        "Region": ctx.region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm["OKActions"],
        "AlarmActions": alarm["AlarmActions"],
        "InsufficientDataActions": alarm["InsufficientDataActions"],
        "Trigger": trigger,
    }


async def _give_up(x: Execution, error: Exception) -> None:
    alarm, arn = x.input["alarm"], x.input["arn"]
    log.warning("the alarm %s could not act on %s: %s", alarm["AlarmName"], arn, error)
    data = {"actionState": "Failed", "error": str(error)}
    add_history(x.ctx, alarm["AlarmName"], alarm["kind"], "Action", f"Failed to execute action {arn}", data)


ACTION = ExecutionKind("cloudwatch.action", _act, _give_up)
