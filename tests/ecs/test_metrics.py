"""Services are measured: the share of CPU and memory that their tasks use."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import NETWORK, Ecs


def test_a_busy_service_uses_all_of_its_cpu(own_engine: RunningEngine) -> None:
    own_engine.start(HOMEPORT_CLOCK_SPEED="20")  # a minute passes in three seconds
    ecs = Ecs(own_engine)
    ecs.api.create_cluster(clusterName="default")
    ecs.api.create_service(
        serviceName="busy",
        taskDefinition=ecs.define("while :; do :; done"),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    cpu = _maximum(own_engine, "CPUUtilization")
    assert 20 < cpu < 130  # of a quarter of a processor, on a machine that is busy itself
    assert 0 < _maximum(own_engine, "MemoryUtilization") < 10


def _maximum(engine: Any, metric: str) -> float:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = engine.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ECS",
            MetricName=metric,
            Dimensions=[
                {"Name": "ClusterName", "Value": "default"},
                {"Name": "ServiceName", "Value": "busy"},
            ],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            Period=3600,
            Statistics=["Maximum"],
        )
        if answer["Datapoints"]:
            return max(point["Maximum"] for point in answer["Datapoints"])
        time.sleep(0.3)
    raise AssertionError(f"{metric} was never published")
