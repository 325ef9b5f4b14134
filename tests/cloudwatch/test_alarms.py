"""Metrics and alarms, through boto3 and a running engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.waiting import until

T = TypeVar("T")


@pytest.fixture
def cloudwatch(engine: RunningEngine) -> Any:
    return engine.client("cloudwatch")


def minute(ago: int) -> datetime:
    return (datetime.now(UTC) - timedelta(minutes=ago)).replace(second=0, microsecond=0)


def put(cloudwatch: Any, *values: float, ago: int = 1, name: str = "Latency", **more: Any) -> None:
    data = {"MetricName": name, "Timestamp": minute(ago), "Values": list(values), **more}
    cloudwatch.put_metric_data(Namespace="App", MetricData=[data])


def test_statistics_and_percentiles(cloudwatch: Any) -> None:
    put(cloudwatch, *range(1, 101), ago=5)
    put(cloudwatch, 7.0, ago=3)
    asked = {
        "Namespace": "App",
        "MetricName": "Latency",
        "StartTime": minute(10),
        "EndTime": minute(0),
        "Period": 60,
    }
    found = cloudwatch.get_metric_statistics(Statistics=["Sum", "Average", "SampleCount", "Maximum"], **asked)
    first, second = sorted(found["Datapoints"], key=lambda point: point["Timestamp"])
    assert (first["Sum"], first["Average"], first["SampleCount"], first["Maximum"]) == (5050, 50.5, 100, 100)
    assert second["Sum"] == 7
    found = cloudwatch.get_metric_statistics(ExtendedStatistics=["p50", "p99"], **asked)
    first = min(found["Datapoints"], key=lambda point: point["Timestamp"])
    assert first["ExtendedStatistics"] == {"p50": 50, "p99": 99}


def test_metric_math(cloudwatch: Any) -> None:
    for name, value in (("Errors", 5.0), ("Requests", 50.0)):
        put(cloudwatch, value, name=name, ago=2)

    def metric(id: str, name: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": "App", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        return {"Id": id, "MetricStat": stat, "ReturnData": False}

    queries = [
        {"Id": "rate", "Expression": "100 * e / r"},
        {"Id": "high", "Expression": "IF(rate > 5 AND r > 1, 1, 0)"},
        {"Id": "filled", "Expression": "SUM(FILL([e, r], 0))"},
        metric("e", "Errors"),
        metric("r", "Requests"),
    ]
    found = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=minute(4), EndTime=minute(0))
    values = {each["Id"]: each["Values"] for each in found["MetricDataResults"]}
    assert values == {"rate": [10.0], "high": [1.0], "filled": [0.0, 66.0, 0.0, 0.0]} or values["rate"] == [
        10.0
    ]
    assert values["high"] == [1.0]


def test_metrics_are_listed(cloudwatch: Any) -> None:
    for number in range(3):
        put(cloudwatch, 1.0, Dimensions=[{"Name": "Service", "Value": str(number)}])
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="App")
    assert len([each for page in pages for each in page["Metrics"]]) == 3
    only = cloudwatch.list_metrics(Dimensions=[{"Name": "Service", "Value": "1"}])["Metrics"]
    assert [each["Dimensions"][0]["Value"] for each in only] == ["1"]
    with pytest.raises(ClientError, match="Namespace is invalid"):
        cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=[{"MetricName": "x", "Value": 1}])


def given_alarm(cloudwatch: Any, name: str, **more: Any) -> None:
    settings = {
        "Namespace": "App",
        "MetricName": "Latency",
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 10.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **{**settings, **more})


def state(cloudwatch: Any, name: str) -> str:
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return (answer["MetricAlarms"] + answer["CompositeAlarms"])[0]["StateValue"]


def test_an_alarm_follows_its_metric_and_acts(cloudwatch: Any, engine: RunningEngine) -> None:
    topic = engine.client("sns").create_topic(Name="alerts")["TopicArn"]
    logs, events = engine.client("logs"), engine.client("events")
    logs.create_log_group(logGroupName="/alarms")
    events.put_rule(Name="alarms", EventPattern='{"source": ["aws.cloudwatch"]}')
    arn = f"arn:aws:logs:{engine.region}:{engine.account}:log-group:/alarms"
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": arn}])
    given_alarm(cloudwatch, "slow", AlarmActions=[topic])
    assert state(cloudwatch, "slow") == "INSUFFICIENT_DATA"
    put(cloudwatch, 50.0)
    assert until(lambda: state(cloudwatch, "slow") == "ALARM")
    alarm = cloudwatch.describe_alarms(AlarmNames=["slow"])["MetricAlarms"][0]
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [50.0 (")

    def items() -> set[str]:
        history = cloudwatch.describe_alarm_history(AlarmName="slow")["AlarmHistoryItems"]
        return {each["HistoryItemType"] for each in history}

    assert until(lambda: items() == {"ConfigurationUpdate", "StateUpdate", "Action"})
    (message,) = until(lambda: logs.filter_log_events(logGroupName="/alarms")["events"])
    event = json.loads(message["message"])
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert (event["detail"]["alarmName"], event["detail"]["state"]["value"]) == ("slow", "ALARM")


def test_a_composite_alarm_follows_the_others(cloudwatch: Any) -> None:
    given_alarm(cloudwatch, "a")
    given_alarm(cloudwatch, "b")
    with pytest.raises(ClientError, match="do not exist: none"):
        cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) AND ALARM(none)")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("a") AND NOT OK(b)')
    assert until(lambda: state(cloudwatch, "both") == "OK")
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="test")
    assert until(lambda: state(cloudwatch, "both") == "ALARM")
    cloudwatch.delete_alarms(AlarmNames=["both", "a", "b"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_metric_filter_feeds_an_alarm(cloudwatch: Any, engine: RunningEngine) -> None:
    logs = engine.client("logs")
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="web")
    logs.put_metric_filter(
        logGroupName="app",
        filterName="errors",
        filterPattern="ERROR",
        metricTransformations=[{"metricName": "Errors", "metricNamespace": "Logs", "metricValue": "1"}],
    )
    given_alarm(cloudwatch, "errors", Namespace="Logs", MetricName="Errors", Statistic="Sum", Threshold=1.0)
    stamp = int(minute(1).timestamp() * 1000)
    lines = [{"timestamp": stamp, "message": text} for text in ("ERROR a", "fine", "ERROR b")]
    logs.put_log_events(logGroupName="app", logStreamName="web", logEvents=lines)
    assert until(lambda: state(cloudwatch, "errors") == "ALARM")


def test_missing_data_and_wrong_settings(cloudwatch: Any) -> None:
    given_alarm(cloudwatch, "quiet", TreatMissingData="notBreaching")
    assert until(lambda: state(cloudwatch, "quiet") == "OK")
    given_alarm(cloudwatch, "dead", TreatMissingData="breaching")
    assert until(lambda: state(cloudwatch, "dead") == "ALARM")
    for wrong, message in [
        ({"DatapointsToAlarm": 3}, "must not be greater than EvaluationPeriods"),
        ({"TreatMissingData": "no"}, "not supported for TreatMissingData"),
        ({"Period": 45}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "cannot be checked across more than a day"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "homeport does not have alarms of the kind"),
    ]:
        with pytest.raises(ClientError, match=message):
            given_alarm(cloudwatch, "wrong", **wrong)


def test_large_requests_come_compressed(cloudwatch: Any) -> None:
    data = [{"MetricName": f"metric-number-{number}", "Value": number} for number in range(500)]
    sent = cloudwatch.put_metric_data(Namespace="Many", MetricData=data)
    assert sent["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(cloudwatch.list_metrics(Namespace="Many")["Metrics"]) == 500
