"""The service scheduler: brings each service's tasks nearer to what is desired, and its deployments to an end.

A look has two halves. First it asks, with pauses: what target groups say, what images mean, why a task fails its
check. Then it reads the rows anew and decides, in one transaction and without a pause, so that nothing that
happened meanwhile is overwritten.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from homeport.engine.containers.errors import DockerUnavailable
from homeport.engine.durable.reconciler import Key
from homeport.engine.services.context import Context
from homeport.engine.services.ecs import (
    capacity,
    circuit_breaker,
    placement,
    task_tags,
)
from homeport.engine.services.ecs.deployments import rollout, scaling
from homeport.engine.services.ecs.deployments.scaling import wanted
from homeport.engine.services.ecs.deployments.shift import topic
from homeport.engine.services.ecs.fargate import on_fargate
from homeport.engine.services.ecs.findings import (
    Findings,
    ask_health,
    find_causes,
    resolve,
    tell_blindness,
)
from homeport.engine.services.ecs.health import Judgement, judge, note_failure
from homeport.engine.services.ecs.revisions import digests, record_digests, targets_of
from homeport.engine.services.ecs.service_rows import (
    add_event,
    alive,
    deployments,
    emit_action,
    forget,
)
from homeport.engine.services.ecs.tables import DEFINITIONS, DEPLOYMENTS, REVISIONS, SERVICES
from homeport.engine.services.ecs.task_rows import (
    KEPT_SECONDS,
    Body,
    change,
    new_task,
    protected,
    request_stop,
    scaled_in,
    task_key,
)
from homeport.engine.services.engine import Engine

STEADY_LOOK_SECONDS = 60.0
WAITING_LOOK_SECONDS = 2.0
ALARM_LOOK_SECONDS = 5.0
PLACEMENT_SECONDS = 30.0
DOCKER_AWAY_SECONDS = 5.0


def keys(engine: Engine) -> Iterable[Key]:
    """Every service; those that were deleted are to be forgotten."""
    for scope, service in SERVICES.everywhere(engine.store):
        yield scope, f"{service['clusterName']}/{service['serviceName']}"


async def reconcile(ctx: Context, key: str) -> float | None:
    """Look at one service. Returns when to look again though nothing wakes it."""
    return await look(ctx, key, _find_out, _decide)


async def look(
    ctx: Context,
    key: str,
    find_out: Callable[[Context, Body], Awaitable[Findings]],
    decide: Callable[[Context, Body, Findings], float | None],
) -> float | None:
    """Find out how a service is, then decide in one transaction, on its row as it is by then."""
    service = SERVICES.get(ctx, *key.split("/"))
    if service is None:
        return None
    if service["status"] == "INACTIVE":
        return forget(ctx, service)
    try:
        findings = await find_out(ctx, service)
    except DockerUnavailable as error:
        findings = Findings(obstacle=str(error))
    with ctx.store.transaction():
        service = SERVICES.get(ctx, *key.split("/"))
        assert service is not None
        after = decide(ctx, service, findings)
        SERVICES.put(ctx, service)
    return after


async def _find_out(ctx: Context, service: Body) -> Findings:
    rows = [row for row in alive(ctx, service) if row["desiredStatus"] == "RUNNING"]
    findings = Findings()
    running = [row for row in rows if row["lastStatus"] == "RUNNING"]
    await ask_health(ctx, running, findings)
    await find_causes(ctx, service, running, findings)
    primary = next(iter(deployments(ctx, service)), None)
    if primary is None or service["status"] == "DRAINING":
        return findings
    if not scaling.shifts(primary):
        findings.alarms = await rollout.alarms_in_alarm(ctx, service, primary)
    revision = REVISIONS.get(ctx, service["clusterName"], service["serviceName"], primary["revision"])
    assert revision is not None
    definition = definition_of(ctx, revision)["definition"]
    missing = len([row for row in rows if row["deployment"] == primary["id"]]) < wanted(service, primary)
    if missing:
        findings.obstacle = await placement.obstacle(ctx, definition)
        findings.shortage = await placement.shortage(ctx, definition)
    if missing and not primary["resolved"]:
        await resolve(ctx, primary, revision, definition)
    return findings


def _decide(ctx: Context, service: Body, findings: Findings) -> float | None:
    rows = alive(ctx, service)
    current = deployments(ctx, service)
    if service["status"] == "DRAINING" and not rows:
        return end_service(ctx, service, current)
    if not current:
        return None
    tell_blindness(ctx, service, findings)
    judged = judge_all(ctx, service, rows, findings)
    note_healthy(ctx, service, current[0], rows, judged)
    note_digests(ctx, service, current[0], rows)
    primary = rollout.advance(ctx, service, rows, judged, findings.alarms)
    if primary["id"] != current[0]["id"]:  # it was rolled back, and may have taken tasks over
        rows = alive(ctx, service)
        judged = judge_all(ctx, service, rows, findings)
    by_key = {task_key(row): row for row in rows}
    views = {key: each.view for key, each in judged.items()}
    waits = []
    for deployment, moves in scaling.plans(service, deployments(ctx, service), views):
        wait = retry_wait(ctx, service, deployment)
        waits.append(wait)
        stop_tasks(ctx, service, [by_key[key] for key in moves.stop], judged, findings)
        tell_protected(ctx, service, deployment, rows)
        if wait and not deployment.get("impaired"):
            tell_impaired(ctx, service, deployment)
        if moves.start and not wait:
            start_tasks(ctx, service, deployment, moves.start, findings)
    baking = rollout.bake_left(service, primary, ctx.now())
    ctx.notify(topic(service["clusterName"], service["serviceName"]))
    return next_look(service, rows, judged, findings, [*waits, baking], ctx.now())


def judge_all(ctx: Context, service: Body, rows: list[Body], findings: Findings) -> dict[str, Judgement]:
    """The judgements of the tasks that are meant to run, by task key."""
    return {
        task_key(row): judge(service, row, findings.healths.get(task_key(row)), ctx.now())
        for row in rows
        if row["desiredStatus"] == "RUNNING"
    }


def end_service(ctx: Context, service: Body, current: list[Body]) -> float:
    """The last task is gone: so is the service. Returns when it is to be forgotten."""
    service |= {"status": "INACTIVE", "endedAt": ctx.now()}
    for deployment in current:
        DEPLOYMENTS.put(ctx, deployment | {"status": "INACTIVE"})
    return KEPT_SECONDS


def note_healthy(
    ctx: Context, service: Body, primary: Body, rows: list[Body], judged: dict[str, Judgement]
) -> None:
    """Remember which tasks were healthy once; a deployment's healthy task ends its count of failures."""
    for row in rows:
        judgement = judged.get(task_key(row))
        if judgement and judgement.view.healthy and not row.get("wasHealthy"):
            change(ctx, task_key(row), lambda fresh: fresh.update(wasHealthy=True))
            breaker = service["shown"]["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
            if row["deployment"] == primary["id"] and breaker.get("resetOnHealthyTask", True):
                primary["failures"] = 0
                DEPLOYMENTS.put(ctx, primary)


def note_digests(ctx: Context, service: Body, primary: Body, rows: list[Body]) -> None:
    """What the first task of a revision pulled is what the revision's tags mean."""
    revision = REVISIONS.get(ctx, service["clusterName"], service["serviceName"], primary["revision"])
    assert revision is not None
    known = {*digests(revision), *_moving(definition_of(ctx, revision)["definition"])}
    found = {
        name: container["imageDigest"]
        for row in rows
        if row["deployment"] == primary["id"]
        for name, container in row["containers"].items()
        if container.get("imageDigest") and name not in known
    }
    if found:
        record_digests(ctx, revision, found)


def _moving(definition: Body) -> list[str]:
    """The containers whose images' tags are not to be held to what they meant first (`versionConsistency`)."""
    containers = definition["containerDefinitions"]
    return [each["name"] for each in containers if each.get("versionConsistency") == "disabled"]


def retry_wait(ctx: Context, service: Body, primary: Body) -> float:
    """Seconds until tasks may be started again after failures."""
    breaker = service["shown"]["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    if not primary["failures"]:
        return 0.0
    watched = breaker.get("enable") and primary["shown"]["rolloutState"] == "IN_PROGRESS"
    delay = 0.0 if watched else circuit_breaker.backoff(primary["failures"])
    return max(0.0, primary["failedAt"] + delay - ctx.now())


def stop_tasks(
    ctx: Context,
    service: Body,
    rows: list[Body],
    judged: dict[str, Judgement],
    findings: Findings,
    deployment: Body | None = None,
) -> None:
    """Ask for the stop of tasks, and tell of it, as of what `deployment` does when it is a task set."""
    for row in rows:
        judgement = judged[task_key(row)]
        if judgement.view.unhealthy:
            cause = findings.causes.get(task_key(row), judgement.event)
            add_event(ctx, service, cause, deployment)
            change(ctx, task_key(row), functools.partial(_count_failure, ctx, cause))
            request_stop(ctx, row, "ServiceSchedulerInitiated", judgement.stopped_reason)
        else:
            request_stop(ctx, row, "ServiceSchedulerInitiated", scaled_in(row["deployment"]))
    if rows:
        draining = [row for row in rows if row["targets"] and row["lastStatus"] == "RUNNING"]
        if draining:
            add_event(ctx, service, f"has begun draining connections on {len(draining)} tasks.", deployment)
        listed = " ".join(f"(task {row['taskId']})" for row in rows)
        add_event(ctx, service, f"has stopped {len(rows)} running tasks: {listed}.", deployment)


def _count_failure(ctx: Context, cause: str, row: Body) -> None:
    note_failure(ctx, row, cause)


def start_tasks(ctx: Context, service: Body, primary: Body, count: int, findings: Findings) -> None:
    """Start so many tasks of a deployment, or tell why the machine cannot."""
    if findings.obstacle:
        if service.get("obstacle") != findings.obstacle:
            service["obstacle"] = findings.obstacle
            add_event(ctx, service, f"was unable to place a task. Reason: {findings.obstacle}.")
            emit_action(ctx, service, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason="RESOURCE:MEMORY")
        return
    if findings.shortage and service.get("shortage") != findings.shortage:
        service["shortage"] = findings.shortage
        add_event(ctx, service, f"has less capacity than it asks for: {findings.shortage}.")
    service["obstacle"] = None
    revision = REVISIONS.get(ctx, service["clusterName"], service["serviceName"], primary["revision"])
    assert revision is not None
    definition = definition_of(ctx, revision)
    settings = task_settings(service, primary, revision, definition)
    strategy = revision["shown"].get("capacityProviderStrategy") or []
    counts = Counter(row["task"].get("capacityProviderName") or "" for row in _own(ctx, service, primary))
    ids = []
    for _ in range(count):
        provider = capacity.choose(strategy, counts) if strategy else None
        counts[provider or ""] += 1
        row = new_task(
            ctx, service["clusterName"], definition, {**settings, "capacityProviderName": provider}
        )
        ids.append(row["taskId"])
    listed = " ".join(f"(task {id})" for id in ids)
    add_event(ctx, service, f"has started {count} tasks: {listed}.", primary)


def tell_protected(ctx: Context, service: Body, deployment: Body, rows: list[Body]) -> None:
    """Tell, once, that the service has more protected tasks than it wants."""
    kept = sum(protected(row, ctx.now()) for row in rows if row["desiredStatus"] == "RUNNING")
    blocked = kept > service["desiredCount"] and service["status"] != "DRAINING"
    if blocked and not service.get("protected"):
        add_event(
            ctx,
            service,
            f"was unable to reach steady state because task set ({deployment['id']}) was unable to scale in. Reason: "
            "The number of protected tasks are more than the desired count of tasks.",
        )
    service["protected"] = blocked


def tell_impaired(ctx: Context, service: Body, primary: Body) -> None:
    """Tell, once for a deployment, that its tasks fail again and again."""
    DEPLOYMENTS.put(ctx, primary | {"impaired": True})
    add_event(
        ctx,
        service,
        "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section "
        f"of the Amazon ECS Developer Guide. The last task: {primary['lastFailure']}.",
        primary,
    )
    emit_action(ctx, service, "WARN", "SERVICE_TASK_START_IMPAIRED")


def _own(ctx: Context, service: Body, deployment: Body) -> list[Body]:
    rows = alive(ctx, service)
    return [
        row for row in rows if row["deployment"] == deployment["id"] and row["desiredStatus"] == "RUNNING"
    ]


def task_settings(service: Body, deployment: Body, revision: Body, definition: Body) -> Body:
    """What each task of a deployment is made with; `definition` is the row of its task definition."""
    shown = revision["shown"]
    return {
        "serviceName": service["serviceName"],
        "deployment": deployment["id"],
        "targets": targets_of(revision),
        "registries": shown.get("serviceRegistries") or [],
        "images": digests(revision),
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "launchType": shown.get("launchType")
        or ("FARGATE" if shown.get("capacityProviderStrategy") else None),
        **(
            on_fargate(shown["platformVersion"], definition["definition"])
            if shown.get("platformVersion")
            else {}
        ),
        "networkConfiguration": shown.get("networkConfiguration") or {},
        "enableExecuteCommand": service["shown"].get("enableExecuteCommand", False),
        "tags": task_tags.of_service_task(service, definition),
    }


def definition_of(ctx: Context, revision: Body) -> Body:
    """The row of a revision's task definition."""
    family, _, number = revision["shown"]["taskDefinition"].rpartition("/")[2].partition(":")
    row = DEFINITIONS.get(ctx, family, int(number))
    assert row is not None
    return row


def next_look(
    service: Body,
    rows: list[Body],
    judged: dict[str, Judgement],
    findings: Findings,
    waits: list[float],
    now: float,
) -> float | None:
    """Seconds until the next look though nothing wakes the service; None for none."""
    looks: list[Any] = [each.again for each in judged.values() if each.again is not None]
    looks += [row["protectedUntil"] - now for row in rows if protected(row, now)]
    looks += [wait for wait in waits if wait]
    if findings.obstacle:
        looks.append(PLACEMENT_SECONDS if "Capacity" in findings.obstacle else DOCKER_AWAY_SECONDS)
    checked = [row for row in rows if row["targets"] and row["lastStatus"] == "RUNNING"]
    if checked:
        settled = all(
            findings.healths[task_key(row)].state == "healthy"
            for row in checked
            if task_key(row) in findings.healths
        )
        looks.append(STEADY_LOOK_SECONDS if settled and service.get("steady") else WAITING_LOOK_SECONDS)
    if service["shown"]["deploymentConfiguration"].get("alarms", {}).get("enable") and not service.get(
        "steady"
    ):
        looks.append(ALARM_LOOK_SECONDS)
    return min(looks, default=None)
