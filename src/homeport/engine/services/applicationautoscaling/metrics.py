"""Which CloudWatch metric a target tracking policy follows.

AWS: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_ECS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}


def specification(resource: str, config: Body) -> Body:
    """Namespace, MetricName, Dimensions, Statistic of the metric. Raises ValidationException."""
    if "CustomizedMetricSpecification" in config:
        given = config["CustomizedMetricSpecification"]
        if "Metrics" in given:
            raise AwsError(
                "ValidationException", "homeport does not carry out metric math in scaling policies"
            )
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
