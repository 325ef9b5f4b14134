"""Which CloudWatch metric a target tracking policy follows.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_ECS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


PERIOD = 60
"""Seconds that a data point stands for, in the alarms of target tracking policies."""


def specification(resource: str, config: Body) -> Body:
    """The metric as PutMetricAlarm takes it: Namespace, MetricName, Dimensions, Statistic and Period, or Metrics.
    Raises ValidationException."""
    given = config.get("CustomizedMetricSpecification", {})
    if "Metrics" in given:
        return {"Metrics": _queries(given["Metrics"])}
    return {**_metric(resource, config), "Period": PERIOD}


def _queries(given: list[Body]) -> list[Body]:
    if sum(each.get("ReturnData", True) for each in given) != 1:
        raise AwsError(
            "ValidationException",
            "ReturnData must be true for exactly one metric or expression, and false for others",
        )
    return [
        {**each, "MetricStat": {**each["MetricStat"], "Period": PERIOD}} if "MetricStat" in each else each
        for each in given
    ]


def _metric(resource: str, config: Body) -> Body:
    if "CustomizedMetricSpecification" in config:
        given = config["CustomizedMetricSpecification"]
        if missing := {"Namespace", "MetricName", "Statistic"} - set(given):
            raise AwsError("ValidationException", f"The customized metric lacks {', '.join(sorted(missing))}")
        return {
            "Namespace": given["Namespace"],
            "MetricName": given["MetricName"],
            "Dimensions": given.get("Dimensions", []),
            "Statistic": given["Statistic"],
        }
    predefined = config.get("PredefinedMetricSpecification")
    if predefined is None:
        raise AwsError("ValidationException", "A predefined or customized metric specification must be given")
    kind = predefined["PredefinedMetricType"]
    if kind in _ECS:
        _, cluster, service = resource.split("/")
        names = {"ClusterName": cluster, "ServiceName": service}
        return {
            "Namespace": "AWS/ECS",
            "MetricName": _ECS[kind],
            "Dimensions": _dimensions(names),
            "Statistic": "Average",
        }
    if kind == "ALBRequestCountPerTarget":
        balancer, separator, group = predefined.get("ResourceLabel", "").partition("/targetgroup/")
        if not separator or not balancer.startswith("app/"):
            raise AwsError(
                "ValidationException",
                "ALBRequestCountPerTarget needs a resource label app/<load balancer>/<id>/targetgroup/<name>/<id>",
            )
        names = {"LoadBalancer": balancer, "TargetGroup": f"targetgroup/{group}"}
        return {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCountPerTarget",
            "Dimensions": _dimensions({"TargetGroup": names["TargetGroup"]}),
            "Statistic": "Sum",
        }
    raise AwsError("ValidationException", f"{kind} is not a metric of ECS services")


def _dimensions(names: dict[str, str]) -> list[Body]:
    return [{"Name": name, "Value": value} for name, value in names.items()]
