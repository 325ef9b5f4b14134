"""The traffic of a deployment: which target group has how much of it.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html"""

from __future__ import annotations

import contextlib
from typing import Any

from homeport.engine.services.ecs.deployments import listener_rules
from homeport.engine.services.ecs.deployments.failure import DeploymentFailed, outage, rolled_back_because
from homeport.engine.services.ecs.deployments.listener_rules import Pair
from homeport.engine.services.ecs.deployments.shift import Shift
from homeport.engine.services.ecs.revisions import group_of, resolve_groups
from homeport.engine.services.ecs.service_rows import add_event
from homeport.engine.services.ecs.tables import SERVICE_DEPLOYMENTS
from homeport.engine.services.ecs.task_rows import Body
from homeport.engine.wire.errors import AwsError

_RETRY_SECONDS = 1.0


async def pairs(shift: Shift) -> list[Any]:
    """Who is blue and who is green behind each load balancer entry. Raises DeploymentFailed."""
    source = shift.state["source"]
    running = shift.revision(source["revision"]) if source else None
    found = []
    for at, balancer in enumerate(_balancers(shift)):
        expected = group_of(running, at) if running else None
        found.append(await listener_rules.pair(shift.ctx, balancer, expected))
    return [list(each) for each in found]


def assign(shift: Shift, found: list[Any]) -> None:
    """The tasks of the new revision are targets of the green groups."""
    revision = shift.revision(shift.row["revision"])
    groups = [(pair.green, pair.production) for pair in (Pair(*each) for each in found)]
    resolve_groups(shift.ctx, revision, groups)
    shift.note(pairs=found)


async def test(shift: Shift, percent: float) -> None:
    """Give the new revision so much of the test traffic; without a test listener rule there is none."""
    for pair in shift.pairs:
        if pair.test:
            await _forward(shift, pair, pair.test, percent)
    shift.note(test=percent)


async def production(shift: Shift, percent: float) -> None:
    """Give the new revision so much of the production traffic."""
    for pair in shift.pairs:
        await _forward(shift, pair, pair.production, percent)
    shift.note(production=percent)


async def back(shift: Shift) -> None:
    """Give all traffic to the old revision; this is tried until it works. A deployment that fails so early that it has
    no pairs has shifted nothing, but it may not have undone yet what one before it had."""
    if not shift.pairs:
        with contextlib.suppress(DeploymentFailed):
            await undo_superseded(shift)
    told = False
    while True:
        try:
            for pair in shift.pairs:
                await _give(shift, pair, pair.production, 0.0)
            for pair in shift.pairs:
                if pair.test:
                    await _give(shift, pair, pair.test, 0.0)
        except AwsError as error:
            if not told:
                message = f"was unable to take traffic back, and tries again: {error.message}"
                shift.change_service(lambda service: add_event(shift.ctx, service, message))  # noqa: B023
            told = True
            await shift.ctx.clock.sleep(_RETRY_SECONDS)
            continue
        return shift.note(production=0.0, test=0.0)


async def undo_superseded(shift: Shift) -> None:
    """Give the traffic that superseded deployments have shifted to who had it before them. Their listener rules may
    be others than this deployment's; where they are the same, its role counts, which may be the one that works."""
    advanced = [balancer["advancedConfiguration"] for balancer in _balancers(shift)]
    roles = {each["productionListenerRule"]: each["roleArn"] for each in advanced}
    for pair in _superseded(shift):
        own = pair._replace(role=roles.get(pair.production, pair.role))
        await _forward(shift, own, own.production, 0.0)
        if own.test:
            await _forward(shift, own, own.test, 0.0)


def _superseded(shift: Shift) -> list[Pair]:
    """The target groups of the deployments that another took the place of before they ended."""
    source = shift.state["source"]
    found = []
    for number in sorted({each["serviceDeployment"] for each in shift.others}):
        row = SERVICE_DEPLOYMENTS.get(shift.ctx, shift.cluster, shift.name, number)
        if not (source and row and row.get("shift")):
            continue
        if row["status"] == "STOPPED" and row["revision"] != source["revision"]:
            found += [Pair(*pair) for pair in row["shift"]["pairs"]]
    return found


def payload(shift: Shift, production: float | None, test: float | None) -> Body:
    """What hooks are told: the shares of both revisions of what shifts in the stage."""
    row = shift.row
    return {
        "serviceArn": row["shown"]["serviceArn"],
        "targetServiceRevisionArn": _arn(shift, row["revision"]),
        "testTrafficWeights": _shares(shift, test) if any(each.test for each in shift.pairs) else {},
        "productionTrafficWeights": _shares(shift, production),
    }


def _shares(shift: Shift, percent: float | None) -> dict[str, float]:
    if percent is None:
        return {}
    row = shift.row
    shares = {_arn(shift, row["revision"]): percent}
    if source := row["shift"]["source"]:
        shares[_arn(shift, source["revision"])] = round(100 - percent, 1)
    return {arn: int(share) if share == int(share) else share for arn, share in shares.items()}


def _arn(shift: Shift, revision: str) -> str:
    arn: str = shift.revision(revision)["shown"]["serviceRevisionArn"]
    return arn


def _balancers(shift: Shift) -> list[Body]:
    balancers: list[Body] = shift.revision(shift.row["revision"])["shown"].get("loadBalancers") or []
    return balancers


async def _forward(shift: Shift, pair: Pair, rule: str, percent: float) -> None:
    """Raises DeploymentFailed when AWS says that it cannot be; an outage is waited for."""
    while True:
        try:
            return await _give(shift, pair, rule, percent)
        except AwsError as error:
            if not outage(error):
                stage = shift.state["stage"]
                raise rolled_back_because(f"{stage} lifecycle hook(s) failed. {error.message}") from error
        await shift.ctx.clock.sleep(_RETRY_SECONDS)


async def _give(shift: Shift, pair: Pair, rule: str, percent: float) -> None:
    green, blue = listener_rules.weights(percent)
    await listener_rules.forward(shift.ctx, rule, pair.role, {pair.blue: blue, pair.green: green})
