"""What load balancers tell of their requests."""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, Target, forward

StartTarget = Callable[[str], Target]


def send(balancer: Balancer, requests: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", balancer.bound())
    for number in range(requests):
        connection.request(
            "GET", f"/page?n={number}", headers={"Host": balancer.host, "User-Agent": "tester"}
        )
        connection.getresponse().read()
    connection.close()


def test_requests_are_counted_in_cloudwatch(
    engine: RunningEngine, balancer: Balancer, target: StartTarget
) -> None:
    app = target("app")
    group = balancer.group("app", app)
    balancer.listen(forward(group))
    balancer.healthy(group)
    send(balancer, 30)
    app.stop()
    send(balancer, 2)
    names = {
        "LoadBalancer": balancer.arn.split("loadbalancer/")[1],
        "TargetGroup": group.split(":")[-1],
    }

    def total(metric: str, *dimensions: str) -> float:
        answer = engine.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": names[name]} for name in dimensions],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=5),
            Period=600,
            Statistics=["Sum", "SampleCount"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    deadline = time.monotonic() + 15
    while total("HTTPCode_ELB_502_Count", "LoadBalancer") < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert total("HTTPCode_ELB_502_Count", "LoadBalancer") == 2
    assert total("HTTPCode_Target_2XX_Count", "TargetGroup", "LoadBalancer") == 30
    assert total("HTTPCode_Target_5XX_Count", "TargetGroup", "LoadBalancer") == 0
    assert total("RequestCount", "TargetGroup", "LoadBalancer") == 32
    assert total("HealthyHostCount", "TargetGroup", "LoadBalancer") >= 1


def test_access_logs_reach_the_bucket(engine: RunningEngine, balancer: Balancer, target: StartTarget) -> None:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="logs")
    group = balancer.group("app", target("app"))
    balancer.listen(forward(group))
    attributes = {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "logs",
        "access_logs.s3.prefix": "lb",
    }
    settings = [{"Key": k, "Value": v} for k, v in attributes.items()]
    balancer.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=settings)
    balancer.healthy(group)
    send(balancer, 3)
    time.sleep(0.5)  # Envoy writes its log
    # A change of the settings ships what is there, else it would be five minutes.
    balancer.elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=settings)
    [line, *more] = _logged(s3)
    assert len(more) == 2
    assert line.startswith("http ")
    assert f'"GET http://{balancer.host}/page?n=0 HTTP/1.1" "tester" - - {group} ' in line
    assert ' 200 200 0 3 "GET' in line


def _logged(s3: Any) -> list[str]:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        keys = [
            each["Key"]
            for each in s3.list_objects_v2(Bucket="logs", Prefix="lb/AWSLogs/").get("Contents", [])
        ]
        files = [key for key in keys if key.endswith(".log.gz")]
        if files:
            assert any(key.endswith("/ELBAccessLogTestFile") for key in keys)
            content = gzip.decompress(s3.get_object(Bucket="logs", Key=files[0])["Body"].read())
            return content.decode().splitlines()
        time.sleep(0.2)
    raise AssertionError("no access log came")
