"""Alarms on what the load balancer measures act before the next step of a deployment."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, Target, forward
from tests.waiting import until

StartTarget = Callable[[str], Target]


class Load:
    """Some requests a second, whatever they get."""

    def __init__(self, balancer: Balancer) -> None:
        self._address = ("127.0.0.1", balancer.bound())
        self._host = balancer.host
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(*self._address)
        while not self._over.wait(0.05):
            connection.request("GET", "/", headers={"Host": self._host})
            connection.getresponse().read()
        connection.close()


def metric(name: str, dimensions: list[dict[str, str]], stat: str) -> dict[str, Any]:
    found = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions}
    return {"Metric": found, "Period": 10, "Stat": stat}


def test_a_canary_that_answers_500_raises_alarms_at_once(
    engine: RunningEngine, balancer: Balancer, target: StartTarget
) -> None:
    good, bad, sick = target("good"), target("bad"), target("sick")
    groups = [balancer.group(name, each) for name, each in (("good", good), ("bad", bad), ("sick", sick))]
    weights = [
        {"TargetGroupArn": group, "Weight": weight} for group, weight in zip(groups, (90, 10, 0), strict=True)
    ]
    balancer.listen({"Type": "forward", "ForwardConfig": {"TargetGroups": weights}})
    balancer.listen(forward(groups[2]), port=81)
    for group in groups:
        balancer.healthy(group)
    whole = {"Name": "LoadBalancer", "Value": balancer.arn.split("loadbalancer/")[1]}
    third = {"Name": "TargetGroup", "Value": groups[2].split(":")[-1]}
    cloudwatch = engine.client("cloudwatch")
    shared = {"EvaluationPeriods": 1, "TreatMissingData": "notBreaching"}
    cloudwatch.put_metric_alarm(
        AlarmName="share", Threshold=5, ComparisonOperator="GreaterThanThreshold", **shared,
        Metrics=[
            {"Id": "share", "Expression": "100 * m5xx / requests"},
            {"Id": "m5xx", "MetricStat": metric("HTTPCode_Target_5XX_Count", [whole], "Sum"), "ReturnData": False},
            {"Id": "requests", "MetricStat": metric("RequestCount", [whole], "Sum"), "ReturnData": False},
        ],
    )  # fmt: skip
    one_minute = {
        "Namespace": "AWS/ApplicationELB", "Dimensions": [whole], "Period": 60, **shared,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }  # fmt: skip
    cloudwatch.put_metric_alarm(
        AlarmName="errors", MetricName="HTTPCode_Target_5XX_Count", Statistic="Sum", Threshold=3, **one_minute
    )
    cloudwatch.put_metric_alarm(
        AlarmName="slow", MetricName="TargetResponseTime", ExtendedStatistic="p99", Threshold=0.00001,
        **one_minute | {"Period": 10},
    )  # fmt: skip
    cloudwatch.put_metric_alarm(
        AlarmName="sick", MetricName="UnHealthyHostCount", Statistic="Maximum", Threshold=1,
        **one_minute | {"Dimensions": [third, whole]},
    )  # fmt: skip

    def states() -> dict[str, str]:
        alarms = cloudwatch.describe_alarms(AlarmNames=["share", "errors", "sick"])["MetricAlarms"]
        return {each["AlarmName"]: each["StateValue"] for each in alarms}

    with Load(balancer):
        until(lambda: set(states().values()) == {"OK"})
        bad.status = sick.health_status = 500
        began = time.time()
        until(lambda: set(states().values()) == {"ALARM"})
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert next(each for each in alarms if each["AlarmName"] == "slow")["StateValue"] == "ALARM"
    for name in ("share", "errors", "sick"):
        history = cloudwatch.describe_alarm_history(
            AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        alarmed: datetime = next(each for each in history if each["HistorySummary"].endswith("to ALARM"))[
            "Timestamp"
        ]
        print(f"{name}: ALARM after {alarmed.timestamp() - began:.1f} s")
        assert alarmed.timestamp() - began < 60
