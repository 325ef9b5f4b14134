"""Alarms: put, describe, delete, and the setting of their state.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudwatch.composite import InvalidRule, parse_rule
from homeport.engine.services.cloudwatch.evaluation import COMPARISONS
from homeport.engine.services.cloudwatch.states import ALARMS, EVALUATION, add_history, change_state
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body
from homeport.engine.wire.errors import AwsError

_KINDS = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
_STARTING = "Unchecked: Initial alarm creation"
_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
_HIDDEN = ("kind", "Tags")


def wake_alarms(ctx: Context, metrics: set[tuple[str, str]]) -> None:
    """Look at the alarms on these metrics (namespace, name): they have got data."""
    for alarm in ALARMS.list(ctx, kind="MetricAlarm"):
        if _looks_at(alarm) & metrics:
            ctx.wake(EVALUATION, alarm["AlarmName"])


def _looks_at(alarm: Body) -> set[tuple[str, str]]:
    if "MetricName" in alarm:
        return {(alarm["Namespace"], alarm["MetricName"])}
    found = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", ()) if each.get("MetricStat")]
    return {(metric["Namespace"], metric["MetricName"]) for metric in found}


@operation
async def put_metric_alarm(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    _check(request)
    body = {name: value for name, value in request.items() if name != "Tags"}
    body.setdefault("ActionsEnabled", True)
    body.setdefault("DatapointsToAlarm", None)
    _put(ctx, "MetricAlarm", body, request.get("Tags"))
    return {}


def _check(request: dict[str, Any]) -> None:
    comparison = request.get("ComparisonOperator")
    if comparison not in COMPARISONS:
        raise AwsError(
            "ValidationError",
            f"homeport does not have alarms of the kind {comparison}: it has {', '.join(COMPARISONS)}.",
        )
    if request.get("Threshold") is None:
        raise AwsError("ValidationError", "A Threshold must be specified.")
    if request.get("Metrics"):
        returned = [each for each in request["Metrics"] if each.get("ReturnData", True)]
        if len(returned) != 1 or request.get("MetricName"):
            raise AwsError("ValidationError", "Exactly one element of the metrics list should return data.")
    else:
        missing = [name for name in ("MetricName", "Namespace", "Period") if not request.get(name)]
        if missing:
            raise AwsError("ValidationError", f"The parameter {missing[0]} must be specified.")
        if not request.get("Statistic") and not request.get("ExtendedStatistic"):
            raise AwsError("ValidationError", "Must specify either Statistic or ExtendedStatistic.")
    _check_periods(request)
    points, periods = request.get("DatapointsToAlarm"), request["EvaluationPeriods"]
    if points is not None and points > periods:
        raise AwsError("ValidationError", "DatapointsToAlarm must not be greater than EvaluationPeriods.")
    treatment = request.get("TreatMissingData", "missing")
    if treatment not in ("missing", "ignore", "breaching", "notBreaching"):
        raise AwsError("ValidationError", f"Option {treatment} is not supported for TreatMissingData.")


@operation
async def put_composite_alarm(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html"""
    try:
        _, names = parse_rule(request["AlarmRule"])
    except InvalidRule as error:
        raise AwsError("ValidationError", f"AlarmRule is not valid: {error}") from None
    missing = [name for name in names if ALARMS.get(ctx, name) is None]
    if missing:
        raise AwsError(
            "ValidationError", f"AlarmRule must not contain alarms that do not exist: {missing[0]}"
        )
    body = {name: value for name, value in request.items() if name != "Tags"}
    body.setdefault("ActionsEnabled", True)
    _put(ctx, "CompositeAlarm", body, request.get("Tags"))
    return {}


def _check_periods(request: Body) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    period = request.get("Period")
    if period is None:
        return
    if period not in (10, 20, 30) and (period <= 0 or period % 60):
        raise AwsError("ValidationError", "Period must be 10, 20, 30 or a multiple of 60")
    days = 7 if period >= 3600 else 1
    if period * request["EvaluationPeriods"] > days * 86400:
        span = "a day" if days == 1 else "seven days"
        raise AwsError(
            "ValidationError",
            f"Metrics cannot be checked across more than {span} (EvaluationPeriods * Period must be <= {days * 86400})",
        )


def _put(ctx: Context, kind: str, body: Body, tags: list[dict[str, str]] | None) -> None:
    name, now = body["AlarmName"], ctx.now()
    with ctx.store.transaction():
        present = ALARMS.get(ctx, name)
        state = {
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": _STARTING,
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        if present:
            state = {member: present[member] for member in state if member in present}
            if present.get("StateReasonData"):
                state["StateReasonData"] = present["StateReasonData"]
        for member in _ACTIONS:
            body.setdefault(member, [])
        ALARMS.put(
            ctx,
            {
                **{member: value for member, value in body.items() if value is not None},
                **state,
                "AlarmArn": ctx.arn(f"alarm:{name}"),
                "AlarmConfigurationUpdatedTimestamp": now,
                "kind": kind,
                "Tags": present["Tags"] if present else tags or [],
            },
        )
        summary = f'Alarm "{name}" {"updated" if present else "created"}'
        add_history(
            ctx, name, kind, "ConfigurationUpdate", summary, {"type": "Update" if present else "Create"}
        )
        ctx.wake(EVALUATION, name)


@operation
async def describe_alarms(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    wanted, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix") or ""
    related = _related(ctx, request)
    alarms = [
        alarm
        for alarm in ALARMS.list(ctx)
        if alarm["kind"] in kinds
        and (not wanted or alarm["AlarmName"] in wanted)
        and alarm["AlarmName"].startswith(prefix)
        and (related is None or alarm["AlarmName"] in related)
        and request.get("StateValue") in (None, alarm["StateValue"])
        and _acts(alarm, request.get("ActionPrefix"))
    ]
    found, token = page(
        alarms,
        request.get("MaxRecords", 50),
        request.get("NextToken"),
        lambda alarm: alarm["AlarmName"],
        "InvalidNextToken",
    )
    answer: dict[str, Any] = {member: [] for member in _KINDS.values()}
    for alarm in found:
        answer[_KINDS[alarm["kind"]]].append(_shown(alarm))
    return {**answer, "NextToken": token}


def _related(ctx: Context, request: dict[str, Any]) -> set[str] | None:
    """The alarms that a composite alarm looks at, or the composite alarms that look at an alarm."""
    if composite := request.get("ChildrenOfAlarmName"):
        alarm = ALARMS.get(ctx, composite)
        return set(parse_rule(alarm["AlarmRule"])[1]) if alarm and "AlarmRule" in alarm else set()
    if child := request.get("ParentsOfAlarmName"):
        return {
            alarm["AlarmName"]
            for alarm in ALARMS.list(ctx, kind="CompositeAlarm")
            if child in parse_rule(alarm["AlarmRule"])[1]
        }
    return None


def _acts(alarm: Body, prefix: str | None) -> bool:
    return prefix is None or any(arn.startswith(prefix) for member in _ACTIONS for arn in alarm[member])


def _shown(alarm: Body) -> Body:
    return {name: value for name, value in alarm.items() if name not in _HIDDEN}


@operation
async def describe_alarms_for_metric(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html"""
    members = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit")
    dimensions = _as_dict(request.get("Dimensions") or [])
    found = [
        _shown(alarm)
        for alarm in ALARMS.list(ctx, kind="MetricAlarm")
        if all(request.get(name) in (None, alarm.get(name)) for name in members)
        and _as_dict(alarm.get("Dimensions") or []) == dimensions
    ]
    return {"MetricAlarms": found}


def _as_dict(dimensions: list[dict[str, str]]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in dimensions}


@operation
async def delete_alarms(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html"""
    with ctx.store.transaction():
        for name in request["AlarmNames"]:
            alarm = ALARMS.get(ctx, name)
            if alarm is None:
                raise AwsError("ResourceNotFound", f"Unknown alarm {name}", 404)
            ALARMS.delete(ctx, name)
            kind, summary = alarm["kind"], f'Alarm "{name}" deleted'
            add_history(ctx, name, kind, "ConfigurationUpdate", summary, {"type": "Delete"})
    return {}


@operation
async def set_alarm_state(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html"""
    data = request.get("StateReasonData")
    try:
        json.loads(data or "{}")
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData was not valid JSON") from None
    with ctx.store.transaction():
        alarm = ALARMS.get(ctx, request["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Unknown alarm {request['AlarmName']}", 404)
        change_state(ctx, alarm, request["StateValue"], request["StateReason"], data)
    return {}


@operation
async def enable_alarm_actions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_EnableAlarmActions.html"""
    return _set_actions(ctx, request["AlarmNames"], True)


@operation
async def disable_alarm_actions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html"""
    return _set_actions(ctx, request["AlarmNames"], False)


def _set_actions(ctx: Context, names: list[str], enabled: bool) -> dict[str, Any]:
    with ctx.store.transaction():
        for name in names:
            if alarm := ALARMS.get(ctx, name):
                ALARMS.put(ctx, {**alarm, "ActionsEnabled": enabled})
    return {}


@operation
async def describe_alarm_history(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html"""
    name = request.get("AlarmName")
    rows = ctx.store.execute(
        "SELECT id, body FROM cloudwatch_history WHERE account = ? AND region = ? AND time >= ? AND time < ?"
        + (" AND alarm = ?" if name else ""),
        *ctx.scope,
        request.get("StartDate", 0.0),
        request.get("EndDate", 1e12),
        *([name] if name else []),
    )
    sign = 1 if request.get("ScanBy") == "TimestampAscending" else -1
    items = sorted(
        (sign * row["id"], body)
        for row in rows
        if request.get("HistoryItemType") in (None, (body := json.loads(row["body"]))["HistoryItemType"])
    )
    found, token = page(
        items,
        request.get("MaxRecords", 100),
        request.get("NextToken"),
        lambda item: item[0],
        "InvalidNextToken",
    )
    return {"AlarmHistoryItems": [body for _, body in found], "NextToken": token}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html"""
    with ctx.store.transaction():
        alarm = _tagged(ctx, request)
        tags = {tag["Key"]: tag["Value"] for tag in [*alarm["Tags"], *request["Tags"]]}
        ALARMS.put(ctx, {**alarm, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_UntagResource.html"""
    with ctx.store.transaction():
        alarm = _tagged(ctx, request)
        kept = [tag for tag in alarm["Tags"] if tag["Key"] not in request["TagKeys"]]
        ALARMS.put(ctx, {**alarm, "Tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListTagsForResource.html"""
    return {"Tags": _tagged(ctx, request)["Tags"]}


def _tagged(ctx: Context, request: dict[str, Any]) -> Body:
    alarm = ALARMS.get(ctx, request["ResourceARN"].rpartition(":alarm:")[2])
    if alarm is None:
        raise AwsError("ResourceNotFoundException", f"{request['ResourceARN']} does not exist", 404)
    return alarm
