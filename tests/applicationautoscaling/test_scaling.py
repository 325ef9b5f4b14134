"""ECS services follow policies and schedules."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from homeport.engine.services.applicationautoscaling.schedules import next_run
from homeport.engine.services.applicationautoscaling.steps import after_step, check_steps
from homeport.engine.wire.errors import AwsError
from homeport.pytest_plugin import RunningEngine

WEB = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU = {
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    "TargetValue": 50.0,
}


@pytest.fixture
def scaling(engine: RunningEngine) -> Any:
    """The client; a service `web` of two tasks is a scalable target."""
    ecs = engine.client("ecs")
    ecs.create_cluster(clusterName="default")
    container = {"name": "app", "image": "127.0.0.1:1/none", "memory": 32}
    ecs.register_task_definition(family="web", containerDefinitions=[container])
    ecs.create_service(serviceName="web", taskDefinition="web", desiredCount=2)
    client = engine.client("application-autoscaling")
    client.register_scalable_target(**WEB, MinCapacity=1, MaxCapacity=10)
    return client


def desired(engine: RunningEngine, count: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        [service] = engine.client("ecs").describe_services(services=["web"])["services"]
        if service["desiredCount"] == count:
            return
        time.sleep(0.1)
    raise AssertionError(f"the service wants {service['desiredCount']} tasks, not {count}")


def alarm(engine: RunningEngine, name: str, value: float) -> None:
    engine.client("cloudwatch").set_alarm_state(
        AlarmName=name,
        StateValue="ALARM",
        StateReason="test",
        StateReasonData=json.dumps({"version": "1.0", "recentDatapoints": [value]}),
    )


def test_target_tracking_scales_in_proportion(engine: RunningEngine, scaling: Any) -> None:
    put = scaling.put_scaling_policy(
        **WEB,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=CPU,
    )
    high, low = (each["AlarmName"] for each in put["Alarms"])
    [made] = engine.client("cloudwatch").describe_alarms(AlarmNames=[high])["MetricAlarms"]
    assert (made["Threshold"], made["EvaluationPeriods"], made["MetricName"]) == (50.0, 3, "CPUUtilization")
    alarm(engine, high, 110.0)
    desired(engine, 5)  # 2 tasks at 110 % make 5 at less than 50 %
    [activity] = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert activity["StatusCode"] == "Successful"
    assert "triggered policy cpu" in activity["Cause"]
    scaling.delete_scaling_policy(**WEB, PolicyName="cpu")
    assert engine.client("cloudwatch").describe_alarms(AlarmNames=[high, low])["MetricAlarms"] == []


def test_target_tracking_follows_metric_math(engine: RunningEngine, scaling: Any) -> None:
    groups = {"blue": "targetgroup/a/1", "green": "targetgroup/b/2"}
    cloudwatch = engine.client("cloudwatch")
    metrics: list[dict[str, Any]] = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": "Shop",
                    "MetricName": "RequestCountPerTarget",
                    "Dimensions": [{"Name": "TargetGroup", "Value": group}],
                },
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name, group in groups.items()
    ]
    total = {"Id": "total", "Expression": "FILL(blue, 0) + FILL(green, 0)"}

    def put(*queries: dict[str, Any]) -> Any:
        return scaling.put_scaling_policy(
            **WEB,
            PolicyName="requests",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "CustomizedMetricSpecification": {"Metrics": list(queries)},
                "TargetValue": 100.0,
            },
        )

    with pytest.raises(scaling.exceptions.ValidationException, match="exactly one metric or expression"):
        put(*metrics)
    minute = int(time.time()) // 60 * 60 - 60
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {
                "MetricName": "RequestCountPerTarget",
                "Dimensions": metrics[1]["MetricStat"]["Metric"]["Dimensions"],
                "Timestamp": moment,
                "Value": 390.0,
            }
            for moment in (minute - 60, minute, minute + 60)
        ],
    )
    high, _ = (each["AlarmName"] for each in put(*metrics, total)["Alarms"])
    [made] = cloudwatch.describe_alarms(AlarmNames=[high])["MetricAlarms"]
    assert [each["MetricStat"]["Period"] for each in made["Metrics"][:2]] == [60, 60]
    alarm(engine, high, 1.0)
    desired(engine, 8)  # 2 tasks with 390 requests each make 8 with less than 100


def test_a_scheduled_action_moves_the_bounds(engine: RunningEngine, scaling: Any) -> None:
    moment = (datetime.now(UTC) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    bounds = {"MinCapacity": 4, "MaxCapacity": 6}
    scaling.put_scheduled_action(
        **WEB, ScheduledActionName="morning", Schedule=moment, ScalableTargetAction=bounds
    )
    desired(engine, 4)
    [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (4, 6)


def test_a_schedule_that_is_suspended_waits_until_it_is_resumed(engine: RunningEngine, scaling: Any) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.register_scalable_target(**WEB, SuspendedState={"ScheduledScalingSuspended": True})
    scaling.put_scheduled_action(
        **WEB, ScheduledActionName="morning", Schedule=soon, ScalableTargetAction={"MinCapacity": 4}
    )
    time.sleep(2)
    [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    desired(engine, 2)
    scaling.register_scalable_target(**WEB, SuspendedState={"ScheduledScalingSuspended": False})

    assert (target["MinCapacity"], target["SuspendedState"]["ScheduledScalingSuspended"]) == (1, True)
    next_day = (datetime.now(UTC) + timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.put_scheduled_action(
        **WEB, ScheduledActionName="morning", Schedule=next_day, ScalableTargetAction={"MinCapacity": 4}
    )
    desired(engine, 4)


def test_what_cannot_be_is_refused(engine: RunningEngine, scaling: Any) -> None:
    errors = scaling.exceptions
    with pytest.raises(errors.ValidationException, match="ECS service doesn't exist: service/default/none"):
        scaling.register_scalable_target(
            **{**WEB, "ResourceId": "service/default/none"}, MinCapacity=1, MaxCapacity=2
        )
    with pytest.raises(errors.ValidationException, match="Maximum capacity"):
        scaling.register_scalable_target(**WEB, MinCapacity=5, MaxCapacity=2)
    with pytest.raises(errors.ValidationException, match="Invalid schedule"):
        scaling.put_scheduled_action(
            **WEB, ScheduledActionName="x", Schedule="every day", ScalableTargetAction={"MinCapacity": 1}
        )
    scaling.deregister_scalable_target(**WEB)
    with pytest.raises(errors.ObjectNotFoundException):
        scaling.deregister_scalable_target(**WEB)


@pytest.mark.parametrize(
    ("kind", "current", "excess", "expected"),
    [
        ("ChangeInCapacity", 3, 0.0, 4),
        ("ChangeInCapacity", 3, 25.0, 6),
        ("ChangeInCapacity", 3, -5.0, None),
        ("PercentChangeInCapacity", 10, 25.0, 11),
        ("ExactCapacity", 10, 25.0, 3),
    ],
)
def test_steps(kind: str, current: int, excess: float, expected: int | None) -> None:
    steps = [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 3},
    ]
    assert after_step({"AdjustmentType": kind, "StepAdjustments": steps}, current, excess) == expected


def test_the_steps_of_the_documentation() -> None:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html"""

    def policy(*steps: tuple[float | None, float | None, int]) -> dict[str, Any]:
        bounds = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
        named = [
            {**{name: value for name, value in zip(bounds, (low, high), strict=True) if value is not None}}
            | {"ScalingAdjustment": adjustment}
            for low, high, adjustment in steps
        ]
        return {"AdjustmentType": "PercentChangeInCapacity", "StepAdjustments": named}

    out = policy((0, 10, 0), (10, 20, 10), (20, None, 30))
    back = policy((-10, 0, 0), (-20, -10, -10), (None, -20, -30))
    capacity: int | None = 10
    for config, metric, expected in ((out, 60, 11), (out, 70, 14), (back, 40, 13), (back, 30, 10)):
        check_steps(config)
        assert capacity is not None
        capacity = after_step(config, capacity, metric - 50)
        assert capacity == expected
    for wrong, message in (
        (policy((0, 10, 1), (20, None, 2)), "overlap or have a gap"),
        (policy((0, 10, 1), (5, None, 2)), "overlap or have a gap"),
        (policy((0, 10, 1)), "without upper bound"),
        (policy((-10, 0, 1)), "without lower bound"),
        (policy((None, None, 1)), "a lower or an upper bound"),
        (policy(), "at least one step adjustment"),
    ):
        with pytest.raises(AwsError, match=message):
            check_steps(wrong)


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("at(2026-03-01T09:00:00)", "UTC", "2026-03-01T09:00:00+00:00"),
        ("at(2026-01-01T09:00:00)", "UTC", None),
        ("cron(0 9 * * ? *)", "Europe/Berlin", "2026-02-02T08:00:00+00:00"),
        ("cron(0 9 * * ? *)", "America/New_York", "2026-02-01T14:00:00+00:00"),
        ("rate(2 hours)", "UTC", "2026-02-01T13:00:00+00:00"),
    ],
)
def test_schedules(schedule: str, zone: str, expected: str | None) -> None:
    now = datetime(2026, 2, 1, 12, tzinfo=UTC).timestamp()
    made = datetime(2026, 2, 1, 11, tzinfo=UTC).timestamp()
    found = next_run(schedule, zone, now, made)
    assert (datetime.fromtimestamp(found, UTC).isoformat() if found else None) == expected
