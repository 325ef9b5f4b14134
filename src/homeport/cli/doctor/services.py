"""Why a service is not healthy: its deployments, its stopped tasks and its targets say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.target import Target

_STOPS = (
    ("OutOfMemory", "it needs more memory than it has", "Raise the task's memory, or find the leak"),
    (
        "CannotPullContainer",
        "its image cannot be pulled",
        "Push the image, and let the execution role pull it",
    ),
    (
        "ResourceInitializationError",
        "it cannot be prepared",
        "Mend what the message names: a secret, a log group",
    ),
    (
        "health check",
        "it does not pass its health check",
        "Mend the health check's path or port, or the application",
    ),
    ("Essential container", "it ends by itself", "Read its last log lines: homeport logs, aws logs tail"),
)
_TARGETS = {
    "Target.ResponseCodeMismatch": "Answer 200 at the health check's path, or change the path or the matcher",
    "Target.Timeout": "Listen on the container port, on 0.0.0.0, and answer within the timeout",
    "Target.FailedHealthChecks": "Listen on the container port, on 0.0.0.0, and answer at the health check's path",
}


def check(target: Target, stack: str | None) -> Iterator[Diagnosis]:
    """Look at every service of the region, or of the stack."""
    ecs = target.client("ecs")
    only = _of_stack(target, stack) if stack else None
    for cluster_page in ecs.get_paginator("list_clusters").paginate():
        for cluster in cluster_page["clusterArns"]:
            for page in ecs.get_paginator("list_services").paginate(cluster=cluster):
                arns = [arn for arn in page["serviceArns"] if only is None or arn in only]
                for at in range(0, len(arns), 10):
                    for service in ecs.describe_services(cluster=cluster, services=arns[at : at + 10])[
                        "services"
                    ]:
                        yield from _service(target, ecs, service)


def _of_stack(target: Target, stack: str | None) -> set[str]:
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [each for page in pages for each in page["StackResourceSummaries"]]
    return {each["PhysicalResourceId"] for each in found if each["ResourceType"] == "AWS::ECS::Service"}


def _service(target: Target, ecs: Any, service: dict[str, Any]) -> Iterator[Diagnosis]:
    for deployment in service.get("deployments", []):
        if deployment.get("rolloutState") == "FAILED":
            yield Diagnosis(
                service["serviceName"],
                "its deployment failed",
                deployment.get("rolloutStateReason", ""),
                "Mend the version as the reason says, and deploy again; the last good version serves meanwhile",
            )
    if service["runningCount"] < service["desiredCount"]:
        yield from _stopped(ecs, service)
    for balancer in service.get("loadBalancers", []):
        if arn := balancer.get("targetGroupArn"):
            yield from _targets(target.client("elbv2"), service, arn)


def _stopped(ecs: Any, service: dict[str, Any]) -> Iterator[Diagnosis]:
    arns = ecs.list_tasks(
        cluster=service["clusterArn"],
        serviceName=service["serviceName"],
        desiredStatus="STOPPED",
        maxResults=20,
    )["taskArns"]
    tasks = ecs.describe_tasks(cluster=service["clusterArn"], tasks=arns)["tasks"] if arns else []
    seen: set[str] = set()
    for task in sorted(tasks, key=lambda each: each.get("stoppedAt") or each["createdAt"], reverse=True):
        details = [
            f"{each['name']}: exit {each['exitCode']}" for each in task["containers"] if each.get("exitCode")
        ]
        details += [each["reason"] for each in task["containers"] if each.get("reason")]
        evidence = "\n".join([task.get("stoppedReason", ""), *details])
        trouble, mend = next(
            ((what, how) for word, what, how in _STOPS if word.lower() in evidence.lower()),
            ("its tasks stop", "Read the task's log: homeport logs"),
        )
        if trouble not in seen and "scaling activity" not in evidence.lower():
            seen.add(trouble)
            yield Diagnosis(service["serviceName"], trouble, evidence, mend)


def _targets(elbv2: Any, service: dict[str, Any], arn: str) -> Iterator[Diagnosis]:
    seen: set[str] = set()
    for each in elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]:
        health = each["TargetHealth"]
        if health["State"] == "unhealthy" and health.get("Reason", "") not in seen:
            seen.add(health.get("Reason", ""))
            place = f"{each['Target']['Id']}:{each['Target']['Port']}"
            yield Diagnosis(
                service["serviceName"],
                "a target is unhealthy, so it gets no traffic",
                f"{place} {health.get('Reason', '')}: {health.get('Description', '')}",
                _TARGETS.get(health.get("Reason", ""), "Mend what the reason names"),
            )
