"""Functions are measured: how often they were invoked, failed and were throttled, how long they took."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.lambda_.functions import call, create, log_of, role
from tests.waiting import until

SOURCE = """
import time
def handler(event, context):
    time.sleep(event)
"""


def test_invocations_errors_durations_and_throttles_are_counted(engine: RunningEngine) -> None:
    role(engine)
    create(engine, SOURCE)
    call(engine, 0.2)
    call(engine, 0)
    assert call(engine, "long")["errorType"] == "TypeError"
    functions = engine.client("lambda")
    functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded"):
        functions.invoke(FunctionName="f")

    assert until(lambda: _of(engine, "Throttles", "Sum")) == 1
    assert until(lambda: _of(engine, "Invocations", "Sum"), lambda count: count == 3), "without the throttled"
    assert _of(engine, "Errors", "Sum") == 1
    assert _of(engine, "Duration", "SampleCount") == 3
    assert 200 <= _of(engine, "Duration", "Maximum") < 60_000


def test_an_invocation_right_after_another_does_not_wait(engine: RunningEngine) -> None:
    role(engine)
    create(engine, SOURCE)
    call(engine, 0)
    began = time.monotonic()
    for _ in range(20):
        call(engine, 0)
    assert time.monotonic() - began < 15  # each waited a second for Docker to tell its memory
    text = until(lambda: log_of(engine), lambda text: text.count("REPORT") == 21)
    used = [int(found) for found in re.findall(r"Max Memory Used: (\d+) MB", text)]
    assert len(used) == 21 and all(5 < each <= 128 for each in used)


def _of(engine: RunningEngine, metric: str, statistic: str) -> float:
    answer = engine.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": "f"}],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=7200,
        Statistics=[statistic],
    )
    values: list[float] = [point[statistic] for point in answer["Datapoints"]]
    return max(values, default=0.0)
