"""The scheduler of services whose deployment controller is CODE_DEPLOY or EXTERNAL: each task set gets the tasks that
its scale asks for, behind its own load balancers. What becomes of the sets, others decide.

A look has the same two halves as one of `scheduler`.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-external.html
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import placement
from homeport.engine.services.ecs.deployments.rolling import bounds, plan
from homeport.engine.services.ecs.deployments.rollout import serves
from homeport.engine.services.ecs.findings import (
    Findings,
    ask_health,
    find_causes,
    resolve,
    tell_blindness,
)
from homeport.engine.services.ecs.health import Judgement
from homeport.engine.services.ecs.scheduler import (
    definition_of,
    end_service,
    judge_all,
    look,
    next_look,
    note_digests,
    note_healthy,
    retry_wait,
    start_tasks,
    stop_tasks,
    tell_impaired,
    tell_protected,
)
from homeport.engine.services.ecs.service_rows import add_event, alive, emit_action
from homeport.engine.services.ecs.tables import DEPLOYMENTS, REVISIONS
from homeport.engine.services.ecs.task_rows import Body, task_key
from homeport.engine.services.ecs.task_sets import computed_count, task_sets


def topic(service: Body) -> str:
    """The topic that is notified when a task set of the service becomes steady, or ECS despairs of it."""
    return f"ecs.task_sets:{service['clusterName']}/{service['serviceName']}"


async def reconcile(ctx: Context, key: str) -> float | None:
    """Look at one service. Returns when to look again though nothing wakes it."""
    return await look(ctx, key, _find_out, _decide)


async def _find_out(ctx: Context, service: Body) -> Findings:
    findings = Findings()
    rows = [row for row in alive(ctx, service) if row["desiredStatus"] == "RUNNING"]
    running = [row for row in rows if row["lastStatus"] == "RUNNING"]
    await ask_health(ctx, running, findings)
    await find_causes(ctx, service, running, findings)
    for task_set in task_sets(ctx, service):
        own = [row for row in rows if row["deployment"] == task_set["id"]]
        if len(own) >= computed_count(service, task_set):
            continue
        revision = REVISIONS.get(ctx, *_key(service), task_set["revision"])
        assert revision is not None
        definition = definition_of(ctx, revision)["definition"]
        findings.obstacle = findings.obstacle or await placement.obstacle(ctx, definition)
        findings.shortage = findings.shortage or await placement.shortage(ctx, definition)
        if not task_set["resolved"]:
            await resolve(ctx, task_set, revision, definition)
    return findings


def _decide(ctx: Context, service: Body, findings: Findings) -> float | None:
    rows = alive(ctx, service)
    sets = task_sets(ctx, service)
    if service["status"] == "DRAINING" and not rows:
        return end_service(ctx, service, sets)
    tell_blindness(ctx, service, findings)
    judged = judge_all(ctx, service, rows, findings)
    waits = [_advance(ctx, service, task_set, rows, judged, findings) for task_set in sets]
    _note_steady(ctx, service)
    return next_look(service, rows, judged, findings, waits, ctx.now())


def _advance(
    ctx: Context,
    service: Body,
    task_set: Body,
    rows: list[Body],
    judged: dict[str, Judgement],
    findings: Findings,
) -> float:
    """Bring a task set nearer to its scale. Returns how long its tasks may not be started after failures."""
    own = [row for row in rows if row["deployment"] == task_set["id"]]
    if task_set["status"] == "DRAINING" and not own:
        DEPLOYMENTS.delete(ctx, *_key(service), task_set["number"])
        REVISIONS.delete(ctx, *_key(service), task_set["revision"])
        return 0.0
    note_healthy(ctx, service, task_set, own, judged)
    note_digests(ctx, service, task_set, own)
    wanted = computed_count(service, task_set)
    _note_stability(ctx, service, task_set, own, judged, wanted)
    moves = plan(
        wanted,
        bounds(wanted, 100, 200),
        task_set["id"],
        [judged[task_key(row)].view for row in own if task_key(row) in judged],
        rolling=not task_set["taskSet"].get("wasSteady"),
    )
    by_key = {task_key(row): row for row in own}
    stop_tasks(ctx, service, [by_key[key] for key in moves.stop], judged, findings, task_set)
    tell_protected(ctx, service, task_set, rows)
    wait = retry_wait(ctx, service, task_set)
    if wait and not task_set.get("impaired"):
        tell_impaired(ctx, service, task_set)
        ctx.notify(topic(service))
    if moves.start and not wait:
        start_tasks(ctx, service, task_set, moves.start, findings)
    return wait


def _note_stability(
    ctx: Context,
    service: Body,
    task_set: Body,
    own: list[Body],
    judged: Mapping[str, Judgement],
    wanted: int,
) -> None:
    kept = [row for row in own if row["desiredStatus"] == "RUNNING"]
    steady = len(kept) == wanted and all(serves(row, judged[task_key(row)]) for row in kept)
    status = "STEADY_STATE" if steady else "STABILIZING"
    if task_set["taskSet"]["stabilityStatus"] != status:
        task_set["taskSet"] |= {"stabilityStatus": status, "stabilityStatusAt": ctx.now()}
        if steady:
            task_set["taskSet"]["wasSteady"] = True
        task_set["shown"]["updatedAt"] = ctx.now()
        DEPLOYMENTS.put(ctx, task_set)
        add_event(ctx, service, f"updated state to {status}.", task_set)
        ctx.notify(topic(service))


def _note_steady(ctx: Context, service: Body) -> None:
    sets = task_sets(ctx, service)
    steady = bool(sets) and all(
        each["status"] != "DRAINING" and each["taskSet"]["stabilityStatus"] == "STEADY_STATE" for each in sets
    )
    if steady and not service["steady"]:
        add_event(ctx, service, "has reached a steady state.")
        emit_action(ctx, service, "INFO", "SERVICE_STEADY_STATE")
    service["steady"] = steady


def _key(service: Body) -> tuple[str, str]:
    return service["clusterName"], service["serviceName"]
