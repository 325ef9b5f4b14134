"""How many tasks run: by load, by the hour, or always the same."""

from __future__ import annotations

from homeport.manifest.cost import Schedule
from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, Value, attribute, ref, resource, sub
from homeport.stack.service import NO_IMAGE, prefix


def resources(manifest: Manifest) -> Resources:
    """For each environment that scales its target, and the policies that it follows."""
    found: Resources = {}
    for name in manifest.environments:
        if manifest.service.autoscaling or schedule(manifest, name):
            found |= _target(manifest, name) | _policies(manifest, prefix(manifest, name))
    return found


def bounds(manifest: Manifest, environment: str) -> tuple[int, int]:
    """The fewest and the most tasks of an environment."""
    if scaling := manifest.service.autoscaling:
        return scaling.min, scaling.max
    count = manifest.environments[environment].count or manifest.service.count
    return count, count


def sleeps(manifest: Manifest, environment: str) -> bool:
    """Whether there are hours in which an environment has no tasks."""
    hours = schedule(manifest, environment)
    return hours is not None and hours.count == 0


def schedule(manifest: Manifest, environment: str) -> Schedule | None:
    """The hours of an environment; None for one that runs always."""
    hours = manifest.cost.schedule
    return hours if hours and environment in (hours.environments or manifest.environments) else None


def conditions(manifest: Manifest) -> dict[str, Value]:
    """For each environment with hours, whether it has had a release: until then no hour may start its tasks."""
    resting = [prefix(manifest, name) for name in manifest.environments if schedule(manifest, name)]
    return {
        f"{own}Released": {"Fn::Not": [{"Fn::Equals": [ref(f"{own}Image"), NO_IMAGE]}]} for own in resting
    }


def resume(manifest: Manifest, environment: str) -> Value:
    """The command that lets the hours of an environment hold, after a release."""
    return sub(
        "aws application-autoscaling register-scalable-target --service-namespace ecs"
        " --scalable-dimension ecs:service:DesiredCount"
        f" --resource-id service/${{Cluster}}/${{{prefix(manifest, environment)}Service.Name}}"
        " --suspended-state ScheduledScalingSuspended=false"
    )


def _target(manifest: Manifest, environment: str) -> Resources:
    own = prefix(manifest, environment)
    least, most = bounds(manifest, environment)
    hours = schedule(manifest, environment)
    suspended = {"ScheduledScalingSuspended": {"Fn::If": [f"{own}Released", False, True]}}
    return {
        f"{own}ScalableTarget": resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            {
                "ServiceNamespace": "ecs",
                "ScalableDimension": "ecs:service:DesiredCount",
                "ResourceId": sub(f"service/${{Cluster}}/${{{own}Service.Name}}"),
                "MinCapacity": least,
                "MaxCapacity": most,
                "ScheduledActions": _hours(hours, least, most) if hours else None,
                "SuspendedState": suspended if hours else None,
            },
        )
    }


def _hours(schedule: Schedule, least: int, most: int) -> list[dict[str, Value]]:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html"""
    return [
        _at("begin", schedule.start, schedule, least, most),
        _at("end", schedule.stop, schedule, schedule.count, schedule.count),
    ]


def _at(name: str, clock: str, schedule: Schedule, least: int, most: int) -> dict[str, Value]:
    hour, minute = (int(part) for part in clock.split(":"))
    return {
        "ScheduledActionName": name,
        "Schedule": f"cron({minute} {hour} ? * {schedule.days} *)",
        "Timezone": schedule.timezone,
        "ScalableTargetAction": {"MinCapacity": least, "MaxCapacity": most},
    }


def _policies(manifest: Manifest, own: str) -> Resources:
    scaling = manifest.service.autoscaling
    if scaling is None:
        return {}
    goals: dict[str, tuple[int | None, dict[str, Value]]] = {
        "Cpu": (scaling.cpu, _predefined("ECSServiceAverageCPUUtilization")),
        "Memory": (scaling.memory, _predefined("ECSServiceAverageMemoryUtilization")),
        "Requests": (scaling.requests, _requests(manifest, own)),
    }
    return {
        f"{own}Scale{name}": resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            {
                "PolicyName": sub(f"${{AWS::StackName}}-{own}{name}"),
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": ref(f"{own}ScalableTarget"),
                "TargetTrackingScalingPolicyConfiguration": {"TargetValue": goal, **metric},
            },
        )
        for name, (goal, metric) in goals.items()
        if goal is not None
    }


def _predefined(name: str, **label: Value) -> dict[str, Value]:
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": name, **label}}


def _requests(manifest: Manifest, own: str) -> dict[str, Value]:
    """Requests a minute and task. AWS's own metric is of one target group, and the strategies that shift traffic
    change the group with each deployment: there it is the sum of both, of which one has no traffic and so no data.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html"""
    if manifest.deploy.strategy == "rolling":
        label = f"${{{own}LoadBalancer.LoadBalancerFullName}}/${{{own}TargetGroup.TargetGroupFullName}}"
        return _predefined("ALBRequestCountPerTarget", ResourceLabel=sub(label))
    groups = {"blue": f"{own}TargetGroup", "green": f"{own}AlternateTargetGroup"}
    both: list[Value] = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/ApplicationELB",
                    "MetricName": "RequestCountPerTarget",
                    "Dimensions": [{"Name": "TargetGroup", "Value": attribute(group, "TargetGroupFullName")}],
                },
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name, group in groups.items()
    ]
    total: Value = {"Id": "requests", "Expression": "FILL(blue, 0) + FILL(green, 0)", "ReturnData": True}
    return {"CustomizedMetricSpecification": {"Metrics": [*both, total]}}
