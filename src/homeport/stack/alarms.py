"""The alarm that takes a deployment back: answers of the new version that are 5xx."""

from __future__ import annotations

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, attribute, ref, resource
from homeport.stack.service import prefix


def resources(manifest: Manifest) -> Resources:
    """One alarm for each environment."""
    if not manifest.deploy.alarms:
        return {}
    found: Resources = {}
    for name in manifest.environments:
        own = prefix(manifest, name)
        found[f"{own}ErrorAlarm"] = resource(
            "AWS::CloudWatch::Alarm",
            {
                "AlarmDescription": f"{manifest.app} in {name} answers 5xx",
                "Namespace": "AWS/ApplicationELB",
                "MetricName": "HTTPCode_Target_5XX_Count",
                "Dimensions": [
                    {"Name": "LoadBalancer", "Value": attribute(f"{own}LoadBalancer", "LoadBalancerFullName")}
                ],
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 10,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [ref("Notifications")] if manifest.notify.email else None,
            },
        )
    return found
