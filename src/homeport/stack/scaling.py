"""How many tasks run: by load, by the hour, or always the same."""

from __future__ import annotations

from homeport.manifest.model import Manifest, Schedule
from homeport.stack.cloudformation import Resources, Value, ref, resource, sub
from homeport.stack.service import prefix


def resources(manifest: Manifest) -> Resources:
    """For each environment that scales its target, and the policies that it follows."""
    found: Resources = {}
    for name in manifest.environments:
        if manifest.service.autoscaling or _schedule(manifest, name):
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
    schedule = _schedule(manifest, environment)
    return schedule is not None and schedule.count == 0


def _schedule(manifest: Manifest, environment: str) -> Schedule | None:
    schedule = manifest.cost.schedule
    if schedule and environment in (schedule.environments or manifest.environments):
        return schedule
    return None


def _target(manifest: Manifest, environment: str) -> Resources:
    own = prefix(manifest, environment)
    least, most = bounds(manifest, environment)
    schedule = _schedule(manifest, environment)
    return {
        f"{own}ScalableTarget": resource(
            "AWS::ApplicationAutoScaling::ScalableTarget",
            {
                "ServiceNamespace": "ecs",
                "ScalableDimension": "ecs:service:DesiredCount",
                "ResourceId": sub(f"service/${{Cluster}}/${{{own}Service.Name}}"),
                "MinCapacity": least,
                "MaxCapacity": most,
                "ScheduledActions": _hours(schedule, least, most) if schedule else None,
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
    metrics = {
        "Cpu": ("ECSServiceAverageCPUUtilization", scaling.cpu),
        "Memory": ("ECSServiceAverageMemoryUtilization", scaling.memory),
        "Requests": ("ALBRequestCountPerTarget", scaling.requests),
    }
    found: Resources = {}
    for name, (metric, goal) in metrics.items():
        if goal is None:
            continue
        specification: dict[str, Value] = {"PredefinedMetricType": metric}
        if name == "Requests":
            specification["ResourceLabel"] = sub(
                f"${{{own}LoadBalancer.LoadBalancerFullName}}/${{{own}TargetGroup.TargetGroupFullName}}"
            )
        found[f"{own}Scale{name}"] = resource(
            "AWS::ApplicationAutoScaling::ScalingPolicy",
            {
                "PolicyName": sub(f"${{AWS::StackName}}-{own}{name}"),
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": ref(f"{own}ScalableTarget"),
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": goal,
                    "PredefinedMetricSpecification": specification,
                },
            },
        )
    return found
