"""Why a service is not healthy: its deployments, events, stopped tasks and targets say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from homeport.cli import tasks
from homeport.cli.doctor.diagnosis import Diagnosis
from homeport.cli.doctor.scope import Scope
from homeport.cli.pipelines import Action
from homeport.manifest.service import FARGATE_MEMORY

_UNHEALTHY = re.compile(r"unhealthy|unable to|failed|was unable|stopped", re.IGNORECASE)


def check(scope: Scope) -> Iterator[Diagnosis]:
    """Look at every service of the region, or of the stack."""
    ecs = scope.client("ecs")
    for cluster_page in ecs.get_paginator("list_clusters").paginate():
        for cluster in cluster_page["clusterArns"]:
            for page in ecs.get_paginator("list_services").paginate(cluster=cluster):
                arns = [arn for arn in page["serviceArns"] if scope.holds("AWS::ECS::Service", arn)]
                for at in range(0, len(arns), 10):
                    described = ecs.describe_services(cluster=cluster, services=arns[at : at + 10])
                    for service in described["services"]:
                        yield from _service(scope, ecs, service)


def _service(scope: Scope, ecs: Any, service: dict[str, Any]) -> Iterator[Diagnosis]:
    seen = _Service.of(scope, ecs, service)
    texts = list(_evidence(scope, ecs, service))
    told: set[str] = set()
    for rules in (_RULES, _VAGUE):
        for text in texts:
            found = next((each for rule in rules if (each := rule(seen, text))), None)
            if found and found.trouble not in told:
                told.add(found.trouble)
                yield found
        if told:
            return
    failed = [each for each in service.get("deployments", []) if each.get("rolloutState") == "FAILED"]
    if failed:
        reason = failed[0].get("rolloutStateReason", "")
        mend = "Mend the version as the reason says, and release again; the last good one serves meanwhile"
        yield Diagnosis(seen.name, "its deployment failed", reason, mend)


@dataclass(frozen=True, slots=True)
class _Service:
    """What mending a service needs to know of it."""

    scope: Scope
    name: str
    definition: dict[str, Any]
    group: dict[str, Any]

    @classmethod
    def of(cls, scope: Scope, ecs: Any, service: dict[str, Any]) -> _Service:
        newest = max(service["deployments"], key=lambda each: each["createdAt"], default=service)
        arn = newest.get("taskDefinition") or service["taskDefinition"]
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        groups = [
            each["targetGroupArn"] for each in service.get("loadBalancers", []) if "targetGroupArn" in each
        ]
        group = {}
        if groups:
            described = scope.client("elbv2").describe_target_groups(TargetGroupArns=groups[:1])
            group = described["TargetGroups"][0]
        return cls(scope, _named(scope, service), definition, group)

    @property
    def port(self) -> int:
        ports = [
            port for each in self.definition["containerDefinitions"] for port in each.get("portMappings", [])
        ]
        return int(ports[0]["containerPort"]) if ports else int(self.group.get("Port", 0))

    def diagnosis(self, trouble: str, evidence: str, mend: str) -> Diagnosis:
        return Diagnosis(self.name, trouble, evidence, mend)


def _named(scope: Scope, service: dict[str, Any]) -> str:
    """The service's name; among those of all stacks with its cluster's, as each may have a `production`."""
    cluster, name = service["clusterArn"].rpartition("/")[2], str(service["serviceName"])
    return name if scope.stack or cluster == "default" else f"{cluster}/{name}"


def _evidence(scope: Scope, ecs: Any, service: dict[str, Any]) -> Iterator[str]:
    """What was said of the service lately, the most telling first. A service that is well again says nothing."""
    for pipeline, action in scope.failures:
        if _deploys(pipeline, action, service):
            yield f"{pipeline['name']}, {action.stage}/{action.name}: {action.summary}"
    newest = max(service["deployments"], key=lambda each: each["createdAt"], default=None)
    well = service["runningCount"] >= service["desiredCount"]
    states = [each.get("rolloutState") for each in service["deployments"]]
    if well and "FAILED" not in states and "IN_PROGRESS" not in states:
        yield from _targets(scope, service)
        return
    for deployment in service["deployments"]:
        if deployment.get("rolloutState") == "FAILED":
            yield deployment.get("rolloutStateReason", "")
    for event in service.get("events", [])[:30]:
        recent = newest is None or event["createdAt"] >= newest["createdAt"]
        if recent and _UNHEALTHY.search(event["message"]):
            yield event["message"]
    yield from _stopped(scope, ecs, service, newest)
    yield from _targets(scope, service)


def _deploys(pipeline: dict[str, Any], failed: Action, service: dict[str, Any]) -> bool:
    """Whether the action that failed deploys this service."""
    return any(
        action["configuration"].get("ServiceName") in (service["serviceName"], service["serviceArn"])
        and service["clusterArn"].endswith(f"/{action['configuration'].get('ClusterName', 'default')}")
        for stage in pipeline["stages"]
        for action in stage["actions"]
        if (stage["name"], action["name"]) == (failed.stage, failed.name) and "configuration" in action
    )


def _stopped(scope: Scope, ecs: Any, service: dict[str, Any], newest: dict[str, Any] | None) -> Iterator[str]:
    stopped = tasks.of_service(ecs, service["clusterArn"], service["serviceName"], "STOPPED")
    for task in sorted(stopped, key=lambda each: each.get("stoppedAt") or each["createdAt"], reverse=True):
        if newest and task["createdAt"] < newest["createdAt"]:
            continue
        if said := tasks.why_stopped(task):
            yield "\n".join(said) + _last_lines(scope, ecs, task)


def _last_lines(scope: Scope, ecs: Any, task: dict[str, Any], count: int = 5) -> str:
    """The end of the log of a task's first container that writes to CloudWatch Logs."""
    described = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    for each in described["containerDefinitions"]:
        options = each.get("logConfiguration", {}).get("options", {})
        if "awslogs-stream-prefix" not in options:
            continue
        stream = f"{options['awslogs-stream-prefix']}/{each['name']}/{task['taskArn'].rpartition('/')[2]}"
        logs = scope.client("logs")
        try:
            page = logs.get_log_events(
                logGroupName=options["awslogs-group"], logStreamName=stream, limit=count, startFromHead=False
            )
        except logs.exceptions.ResourceNotFoundException:
            continue
        return "".join(f"\n| {event['message'].rstrip()}" for event in page["events"])
    return ""


def _targets(scope: Scope, service: dict[str, Any]) -> Iterator[str]:
    for balancer in service.get("loadBalancers", []):
        if arn := balancer.get("targetGroupArn"):
            described = scope.client("elbv2").describe_target_health(TargetGroupArn=arn)
            for each in described["TargetHealthDescriptions"]:
                health = each["TargetHealth"]
                if health["State"] == "unhealthy":
                    place = f"{each['Target']['Id']}:{each['Target']['Port']}"
                    yield f"{place} {health.get('Reason', '')}: {health.get('Description', '')}"


def _wrong_port(service: _Service, text: str) -> Diagnosis | None:
    found = re.search(r"task listens on ports? (\d+)", text)
    nothing = re.search(
        r"[Nn]othing listens on port (\d+)|connection to \S+ refused|Connection refused", text
    )
    if not found and not nothing:
        return None
    expected = service.port
    if found:
        trouble = f"the application listens on port {found[1]}, and the service expects {expected}"
        mend = f"service.port: {found[1]} in homeport.yml (containerPort {found[1]} in the task definition), and deploy"
    else:
        trouble = f"nothing listens on port {expected}"
        mend = (
            f"Listen on $PORT ({expected}) and on 0.0.0.0, or set service.port to the port that it listens on"
        )
    return service.diagnosis(trouble, text, mend)


def _cannot_pull(service: _Service, text: str) -> Diagnosis | None:
    if not re.search("CannotPullContainer|pull access denied|manifest unknown", text):
        return None
    images = ", ".join(each["image"] for each in service.definition["containerDefinitions"])
    mend = f"Push the image that the task definition names ({images}), or correct its name"
    if re.search("denied|not authorized|403", text, re.IGNORECASE):
        role = service.definition.get("executionRoleArn", "no execution role").rpartition("/")[2]
        mend = f"Let the execution role ({role}) pull: ecr:GetAuthorizationToken, ecr:BatchGetImage, "
        mend += "ecr:GetDownloadUrlForLayer, ecr:BatchCheckLayerAvailability"
    elif re.search("timeout|no such host|unreachable|i/o", text, re.IGNORECASE):
        mend = "Give the tasks a way out: network.egress: nat, or endpoints with images in ECR only"
    return service.diagnosis("its image cannot be pulled", text, mend)


def _out_of_memory(service: _Service, text: str) -> Diagnosis | None:
    if "OutOfMemory" not in text:
        return None
    limits = {each["name"]: each.get("memory") for each in service.definition["containerDefinitions"]}
    now = int(service.definition.get("memory") or 0)
    small = next((name for name, limit in limits.items() if limit and limit < now), None)
    if small:
        mend = f"Raise the memory of the container {small}, or leave it out: then it may use the task's {now} MiB"
        return service.diagnosis(f"its container {small} needs more than {limits[small]} MiB", text, mend)
    offered = FARGATE_MEMORY.get(int(service.definition.get("cpu") or 0), ())
    more = next((each for each in offered if each > now), None)
    mend = (
        f"service.memory: {more} in homeport.yml" if more else "A larger service.cpu with more service.memory"
    )
    return service.diagnosis(f"it needs more memory than its {now} MiB", text, f"{mend}; or find the leak")


def _cannot_begin(service: _Service, text: str) -> Diagnosis | None:
    if "ResourceInitializationError" not in text:
        return None
    mend = "Mend what the message names: a secret or log group that is missing, or that the execution role may not use"
    return service.diagnosis("its tasks cannot be prepared", text, mend)


def _container_check(service: _Service, text: str) -> Diagnosis | None:
    if "failed container health checks" not in text:
        return None
    checks = [
        each.get("healthCheck", {}).get("command") for each in service.definition["containerDefinitions"]
    ]
    command = next((" ".join(each) for each in checks if each), "")
    mend = f"Run it in a task (homeport exec {service.name}), and mend the healthCheck of the container: {command}"
    return service.diagnosis("its container's own health check fails", text, mend)


def _health_check(service: _Service, text: str) -> Diagnosis | None:
    found = re.search(r"[Cc]odes?: \[?(\d{3})", text) or re.search(r"answers? (?:with )?(\d{3})", text)
    timed_out = re.search(r"Target\.Timeout|[Rr]equest timed out", text)
    if not (found or timed_out):
        return None
    path, group = service.group.get("HealthCheckPath", "/"), service.group.get("TargetGroupArn", "")
    if timed_out:
        trouble = f"its health check at {path} is not answered in time"
        mend = "Answer within the target group's timeout, listen on 0.0.0.0, and let the balancer's security group in"
        return service.diagnosis(trouble, text, mend)
    assert found
    return service.diagnosis(f"its health check at {path} answers {found[1]}", text, _another_path(group))


def _failed_check(service: _Service, text: str) -> Diagnosis | None:
    if not re.search(r"ELB health checks|unhealthy in|Target\.FailedHealthChecks|ResponseCodeMismatch", text):
        return None
    path, group = service.group.get("HealthCheckPath", "/"), service.group.get("TargetGroupArn", "")
    mend = f"Listen on port {service.port} and on 0.0.0.0, or change the check: {_another_path(group)}"
    return service.diagnosis(f"its health check at {path} fails", text, mend)


def _another_path(group: str) -> str:
    change = f"aws elbv2 modify-target-group --target-group-arn {group} --health-check-path <path>"
    return f"service.health in homeport.yml: a path that answers 200 ({change})"


def _crash(service: _Service, text: str) -> Diagnosis | None:
    found = re.search(r"exit code (\d+)", text)
    if "Essential container" not in text:
        return None
    code = int(found[1]) if found else 0
    meaning = {
        0: "as if its work were done",
        126: "its command cannot be run",
        127: "its command is not there",
    }
    meaning |= {137: "it was killed", 139: "it crashed", 143: "it was told to stop"}
    trouble = f"its container ends by itself: exit code {code}" + (
        f", {meaning[code]}" if code in meaning else ""
    )
    mend = (
        f"Mend what the last lines say; try the image alone: docker run --rm -e PORT={service.port} <image>"
    )
    return service.diagnosis(trouble, text, mend)


def _no_place(service: _Service, text: str) -> Diagnosis | None:
    if "unable to place a task" not in text:
        return None
    return service.diagnosis(
        "its tasks find no place to run", text, "Mend what the reason names: subnets, capacity"
    )


_RULES = (
    *(_out_of_memory, _cannot_pull, _cannot_begin, _wrong_port, _container_check, _health_check),
    *(_crash, _no_place),
)
"""The first that recognises a text explains it; the most particular come first."""
_VAGUE = (_failed_check,)
"""What explains a text when nothing else explains any."""
