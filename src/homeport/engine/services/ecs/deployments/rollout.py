"""Where a deployment stands: in progress, completed, failed; and what follows, a rollback among it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import circuit_breaker
from homeport.engine.services.ecs.deployments import scaling
from homeport.engine.services.ecs.health import Judgement
from homeport.engine.services.ecs.revisions import (
    emit_deployment,
    end_service_deployment,
    new_deployment,
)
from homeport.engine.services.ecs.service_rows import add_event, alive, deployments, emit_action, over
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS, SERVICE_DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body, change, checked, recall, task_key
from homeport.engine.wire.errors import AwsError


def advance(
    ctx: Context, service: Body, rows: list[Body], judged: Mapping[str, Judgement], alarms: list[str]
) -> Body:
    """Take the service's deployments as far as they go; returns the one that is then the primary."""
    primary, *older = deployments(ctx, service)
    for deployment in older:
        kept = scaling.shifts(primary) and scaling.wanted(service, deployment) > 0
        if over(rows, deployment) and not kept:
            DEPLOYMENTS.put(ctx, deployment | {"status": "INACTIVE"})
    if scaling.shifts(primary):
        _note_serving(ctx, service, rows, judged)
    elif primary["shown"]["rolloutState"] == "IN_PROGRESS":
        if service["stopRequested"]:
            _stop_requested(ctx, service, primary)
        elif _breaks(service, primary):
            cause = f" The last one: {primary['lastFailure']}" if primary["lastFailure"] else ""
            fail(ctx, service, primary, "tasks failed to start.", "circuit breaker", cause)
        elif alarms:
            fail(ctx, service, primary, f"alarm detected: {', '.join(alarms)}.", "alarms", "")
        elif _complete(service, primary, rows, judged) and _baked(ctx, service, primary):
            rolled_back = bool(primary.get("rollsBack"))
            complete(ctx, service, primary, "ROLLBACK_SUCCESSFUL" if rolled_back else "SUCCESSFUL")
    _note_steady(ctx, service, rows, judged)
    return deployments(ctx, service)[0]


def _note_serving(ctx: Context, service: Body, rows: list[Body], judged: Mapping[str, Judgement]) -> None:
    """Count the tasks of each deployment that serve, for the one that shifts traffic between them."""
    for deployment in deployments(ctx, service):
        own = [
            row for row in rows if row["deployment"] == deployment["id"] and row["desiredStatus"] == "RUNNING"
        ]
        serving = sum(serves(row, judged[task_key(row)]) for row in own)
        if serving != deployment.get("serving"):
            DEPLOYMENTS.put(ctx, deployment | {"serving": serving})


def _breaks(service: Body, primary: Body) -> bool:
    breaker = service["shown"]["deploymentConfiguration"].get("deploymentCircuitBreaker")
    return circuit_breaker.tripped(breaker, primary["failures"], service["desiredCount"])


def _complete(service: Body, primary: Body, rows: list[Body], judged: Mapping[str, Judgement]) -> bool:
    """Whether the primary deployment has all its tasks and is alone."""
    others = [row for row in rows if row["deployment"] != primary["id"]]
    if any(row["lastStatus"] not in ("STOPPING", "DEPROVISIONING") for row in others):
        return False
    return _settled(service, primary, rows, judged)


def _baked(ctx: Context, service: Body, primary: Body) -> bool:
    """Whether the bake time has passed since the new tasks alone serve; alarms still count until then."""
    minutes = service["shown"]["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
    if minutes and "bakingSince" not in primary:
        primary["bakingSince"] = ctx.now()
        DEPLOYMENTS.put(ctx, primary)
    return bake_left(service, primary, ctx.now()) <= 0


def bake_left(service: Body, primary: Body, now: float) -> float:
    """Seconds of bake time that are left; 0 when the deployment does not bake."""
    if "bakingSince" not in primary:
        return 0.0
    minutes: float = service["shown"]["deploymentConfiguration"].get("bakeTimeInMinutes") or 0
    return max(0.0, primary["bakingSince"] + minutes * 60 - now)


def _settled(service: Body, primary: Body, rows: list[Body], judged: Mapping[str, Judgement]) -> bool:
    own = [row for row in rows if row["deployment"] == primary["id"] and row["desiredStatus"] == "RUNNING"]
    if len(own) != scaling.wanted(service, primary) or service["status"] == "DRAINING":
        return False
    return all(serves(row, judged[task_key(row)]) for row in own)


def serves(row: Body, judgement: Judgement) -> bool:
    """Whether a task counts for the end of a deployment: it is healthy, or runs when nothing checks it."""
    return judgement.view.healthy if row["targets"] or checked(row) else judgement.view.running


def complete(ctx: Context, service: Body, primary: Body, status: str, reason: str | None = None) -> None:
    """The primary deployment is done; its service deployment ends with the status. `service` must be written
    afterwards."""
    primary["shown"] |= {
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {primary['id']} completed.",
        "updatedAt": ctx.now(),
    }
    DEPLOYMENTS.put(ctx, primary)
    service["lastCompleted"] = {"deployment": primary["id"], "revision": primary["revision"]}
    end_service_deployment(ctx, service, primary["serviceDeployment"], status, reason)
    add_event(ctx, service, f"(deployment {primary['id']}) deployment completed.")
    emit_deployment(ctx, service, primary, "INFO", "SERVICE_DEPLOYMENT_COMPLETED")


def mark_failed(ctx: Context, service: Body, deployment: Body, reason: str, told: str | None = None) -> None:
    """The deployment has failed. `service` must be written afterwards."""
    deployment["shown"] |= {
        "rolloutState": "FAILED",
        "rolloutStateReason": reason,
        "updatedAt": ctx.now(),
    }
    DEPLOYMENTS.put(ctx, deployment)
    add_event(ctx, service, f"(deployment {deployment['id']}) {told or f'deployment failed: {reason}'}")
    emit_deployment(ctx, service, deployment, "ERROR", "SERVICE_DEPLOYMENT_FAILED")


def fail(ctx: Context, service: Body, primary: Body, reason: str, monitor: str, cause: str) -> None:
    """Fail the primary deployment, and go back to the last completed one if that is wanted and there is one."""
    mark_failed(
        ctx,
        service,
        primary,
        f"ECS deployment {monitor}: {reason}{cause}",
        f"deployment failed: {reason}{cause}",
    )
    last = service.get("lastCompleted")
    configuration = service["shown"]["deploymentConfiguration"]
    member = "alarms" if monitor == "alarms" else "deploymentCircuitBreaker"
    wanted = bool((configuration.get(member) or {}).get("rollback"))
    if primary.get("rollsBack"):
        end_service_deployment(
            ctx,
            service,
            primary["serviceDeployment"],
            "ROLLBACK_FAILED",
            primary["shown"]["rolloutStateReason"],
        )
    elif wanted and last and last["deployment"] != primary["id"]:
        roll_back(
            ctx, service, primary, last, f"ECS deployment {monitor}", primary["shown"]["rolloutStateReason"]
        )
    else:
        end_service_deployment(
            ctx, service, primary["serviceDeployment"], "STOPPED", primary["shown"]["rolloutStateReason"]
        )


def roll_back(ctx: Context, service: Body, failed: Body, last: Body, who: str, reason: str) -> None:
    """Start the deployment that brings back the revision that was completed last."""
    return_to(ctx, service, failed, last, who)
    note_rollback(ctx, service, failed["serviceDeployment"], last["revision"], reason)


def return_to(ctx: Context, service: Body, failed: Body, last: Body, who: str) -> Body:
    """Make a deployment of the revision `last` the primary one; it takes over the tasks that still run it.
    `service` must be written afterwards."""
    revision = REVISIONS.get(ctx, service["clusterName"], service["serviceName"], last["revision"])
    assert revision is not None
    text = f"{who}: rolling back to deploymentId {last['deployment']}."
    deployment = new_deployment(ctx, service, revision, failed["serviceDeployment"], text)
    DEPLOYMENTS.put(ctx, deployment | {"rollsBack": failed["id"]})
    _adopt(ctx, service, deployment)
    service["shown"]["taskDefinition"] = revision["shown"]["taskDefinition"]
    service["shown"]["loadBalancers"] = revision["shown"].get("loadBalancers") or []
    add_event(ctx, service, f"rolling back to (deployment {last['deployment']}).")
    return deployment | {"rollsBack": failed["id"]}


def note_rollback(ctx: Context, service: Body, number: int, revision: str, reason: str) -> None:
    """Write into a service deployment that it goes back to a revision, and why."""
    end_service_deployment(ctx, service, number, "ROLLBACK_IN_PROGRESS", reason)
    row = SERVICE_DEPLOYMENTS.get(ctx, service["clusterName"], service["serviceName"], number)
    found = REVISIONS.get(ctx, service["clusterName"], service["serviceName"], revision)
    assert row is not None and found is not None
    row["shown"]["rollback"] = {
        "reason": reason,
        "startedAt": ctx.now(),
        "serviceRevisionArn": found["shown"]["serviceRevisionArn"],
    }
    SERVICE_DEPLOYMENTS.put(ctx, row)


def _adopt(ctx: Context, service: Body, deployment: Body) -> None:
    """The tasks that still run the revision belong to the new deployment: they need not be replaced. Those that only
    drain are called back."""
    same = {
        each["id"]
        for each in DEPLOYMENTS.list(ctx, service["clusterName"], service["serviceName"])
        if each["revision"] == deployment["revision"]
    }

    def join(row: Body) -> None:
        row["deployment"] = row["task"]["startedBy"] = deployment["id"]

    for row in alive(ctx, service):
        if row["deployment"] in same and (row["desiredStatus"] == "RUNNING" or recall(ctx, row)):
            change(ctx, task_key(row), join)


def _stop_requested(ctx: Context, service: Body, primary: Body) -> None:
    """StopServiceDeployment: stay as it is (ABORT), or go back (ROLLBACK)."""
    kind, service["stopRequested"] = service["stopRequested"], None
    reason = "The service deployment was stopped by the user."
    mark_failed(ctx, service, primary, reason, "deployment stopped by the user.")
    last = service.get("lastCompleted")
    if kind == "ROLLBACK" and last:
        roll_back(ctx, service, primary, last, "ECS deployment stopped by the user", reason)
    else:
        end_service_deployment(ctx, service, primary["serviceDeployment"], "STOPPED", reason)


def _note_steady(ctx: Context, service: Body, rows: list[Body], judged: Mapping[str, Judgement]) -> None:
    primary = deployments(ctx, service)[0]
    steady = (
        primary["shown"]["rolloutState"] == "COMPLETED"
        and _settled(service, primary, rows, judged)
        and all(
            row["desiredStatus"] == "RUNNING" or row["lastStatus"] in ("STOPPING", "DEPROVISIONING")
            for row in rows
        )
    )
    if steady and not service["steady"]:
        add_event(ctx, service, "has reached a steady state.")
        emit_action(ctx, service, "INFO", "SERVICE_STEADY_STATE")
    service["steady"] = steady


async def alarms_in_alarm(ctx: Context, service: Body, primary: Body) -> list[str]:
    """The deployment's alarms that went off since it started; one that was in alarm at its start is ignored."""
    alarms = service["shown"]["deploymentConfiguration"].get("alarms") or {}
    if not alarms.get("enable") or primary["shown"]["rolloutState"] != "IN_PROGRESS":
        return []
    try:
        answer = await ctx.client("cloudwatch", as_service=True).describe_alarms(
            AlarmNames=alarms["alarmNames"]
        )
    except AwsError:
        return []
    ringing = {
        alarm["AlarmName"]
        for alarm in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
        if alarm["StateValue"] == "ALARM"
    }
    if "ignoredAlarms" not in primary:
        primary["ignoredAlarms"] = sorted(ringing)
        fresh = DEPLOYMENTS.get(ctx, primary["clusterName"], primary["serviceName"], primary["number"])
        if fresh is not None:
            DEPLOYMENTS.put(ctx, fresh | {"ignoredAlarms": primary["ignoredAlarms"]})
    return sorted(ringing - set(primary["ignoredAlarms"]))
