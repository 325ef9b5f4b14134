"""What a look at a service finds out before anything is decided: what target groups say, why tasks are unhealthy,
what images mean."""

from __future__ import annotations

from dataclasses import dataclass, field

from homeport.engine.services.context import Context
from homeport.engine.services.ecs import images, listening, probe, targets
from homeport.engine.services.ecs.deployments.failure import outage
from homeport.engine.services.ecs.failure import CannotStart
from homeport.engine.services.ecs.health import Judgement, judge
from homeport.engine.services.ecs.revisions import digests, record_digests
from homeport.engine.services.ecs.service_rows import add_event
from homeport.engine.services.ecs.tables import DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body, task_key
from homeport.engine.wire.errors import AwsError


@dataclass
class Findings:
    """What the first half of a look found out."""

    healths: dict[str, targets.Health] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    obstacle: str | None = None
    shortage: str | None = None
    blind: str | None = None
    alarms: list[str] = field(default_factory=list)


async def ask_health(ctx: Context, running: list[Body], findings: Findings) -> None:
    """What the target groups say; nothing, when the service's role may not ask."""
    try:
        findings.healths = await targets.healths(ctx, running)
    except AwsError as error:
        if outage(error):
            raise
        groups = " ".join(sorted({each["targetGroupArn"] for row in running for each in row["targets"]}))
        findings.blind = (
            f"failed to describe target health on target-group {groups} with (error {error.message})"
        )
        findings.healths = {task_key(row): targets.Health("initial") for row in running if row["targets"]}


def tell_blindness(ctx: Context, service: Body, findings: Findings) -> None:
    """Tell, once, that the service's role may not ask for the health of its targets."""
    if findings.blind != service.get("blind"):
        service["blind"] = findings.blind
        if findings.blind:
            add_event(ctx, service, findings.blind)


async def find_causes(ctx: Context, service: Body, running: list[Body], findings: Findings) -> None:
    """Why tasks are unhealthy, for those that are."""
    for row in running:
        judged = judge(service, row, findings.healths.get(task_key(row)), ctx.now())
        if judged.view.unhealthy:
            findings.causes[task_key(row)] = await _cause_of(ctx, row, judged, findings)


async def _cause_of(ctx: Context, row: Body, judged: Judgement, findings: Findings) -> str:
    """Why a task is unhealthy, as far as that can be found out."""
    health = findings.healths.get(task_key(row))
    if health is None or not health.group:
        return judged.event
    port = next(each["containerPort"] for each in row["targets"] if each["targetGroupArn"] == health.group)
    told = judged.event
    if answered := await probe.answer(ctx, row, health.group, port):
        told = told.replace(f"(reason {health.description})", f"(reason {answered})")
    found = await listening.explain(ctx, row, port)
    return f"{told} {found}" if found else told


async def resolve(ctx: Context, primary: Body, revision: Body, definition: Body) -> None:
    """Find out what the images' tags mean now; all tasks of the revision run these digests."""
    role = definition.get("executionRoleArn")
    known = digests(revision)
    try:
        found = {
            container["name"]: await images.resolve(ctx, container["image"], role, container["name"])
            for container in definition["containerDefinitions"]
            if container["name"] not in known and container.get("versionConsistency") != "disabled"
        }
    except CannotStart:
        return  # the tasks fail with the same reason, and are counted
    with ctx.store.transaction():
        record_digests(ctx, revision, {name: digest for name, digest in found.items() if digest})
        fresh = DEPLOYMENTS.get(ctx, primary["clusterName"], primary["serviceName"], primary["number"])
        if fresh is not None:
            DEPLOYMENTS.put(ctx, fresh | {"resolved": True})
