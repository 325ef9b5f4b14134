"""The life of a deployment that shifts traffic (BLUE_GREEN, LINEAR, CANARY), from stage to stage, and back when it
fails. Both revisions run all the time; what changes is the weights of listener rules, so no request is lost.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.ecs.deployments import ending, hooks, monitors, scaling, traffic
from homeport.engine.services.ecs.deployments.failure import DeploymentFailed, rolled_back_because
from homeport.engine.services.ecs.deployments.shift import Shift
from homeport.engine.services.ecs.deployments.step import Step
from homeport.engine.services.ecs.deployments.steps import steps
from homeport.engine.services.ecs.tables import SERVICE_DEPLOYMENTS

log = logging.getLogger(__name__)

STAGE_SECONDS = 24 * 3600.0


async def _run(x: Execution) -> None:
    shift = Shift(x)
    if shift.state["failure"] is None:
        try:
            return await _watched(_forward(shift), monitors.watch(shift))
        except DeploymentFailed as failure:
            ending.fail(shift, str(failure), failure.status)
        except Stopped:
            raise
        except Exception as error:
            log.exception("the deployment %s failed", x.id)
            ending.fail(
                shift, f"Service deployment rolled back because of an error: {error}", "ROLLBACK_SUCCESSFUL"
            )
    await _back(shift)


async def _watched(work: Awaitable[None], watch: Awaitable[None]) -> None:
    """Work until it is done, or until the watch raises what is wrong."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(watch)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        next(task for task in tasks if task.done()).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forward(shift: Shift) -> None:
    await _reconcile(shift)
    await _stage(shift, "PRE_SCALE_UP")
    await shift.x.step(
        "target groups", lambda: traffic.pairs(shift), lambda pairs: traffic.assign(shift, pairs)
    )
    await _stage(shift, "SCALE_UP", lambda: _scale_up(shift))
    await _stage(shift, "POST_SCALE_UP")
    await _stage(shift, "TEST_TRAFFIC_SHIFT", lambda: traffic.test(shift, 100.0), test=100.0)
    await _stage(shift, "POST_TEST_TRAFFIC_SHIFT")
    compared = await shift.x.step("compared", lambda: _compared(shift))
    for step in steps(shift.configuration) if compared else [Step(100.0)]:
        await _shift_production(shift, step.percent)
        if step.bake:
            await shift.x.sleep(f"bake at {step.percent}", step.bake)
    await _stage(shift, "POST_PRODUCTION_TRAFFIC_SHIFT")
    if compared:
        await _stage(shift, "BAKE_TIME")
        await shift.x.sleep("bake", (shift.configuration.get("bakeTimeInMinutes") or 0) * 60.0)
    await shift.x.record("CLEAN_UP", lambda: ending.clean_up(shift))
    await _gone(shift)
    await shift.x.record("succeeded", lambda: ending.succeed(shift))


async def _reconcile(shift: Shift) -> None:
    """When an earlier deployment was under way, only what it started from goes on."""
    if await shift.x.step("superseded", lambda: _superseded(shift)):
        await _stage(shift, "RECONCILE_SERVICE", lambda: _tidy(shift))


async def _superseded(shift: Shift) -> bool:
    """Whether there is more than what the deployment starts from; a deployment that runs is waited for."""
    ids = [execution_id(shift.cluster, shift.name, each["serviceDeployment"]) for each in shift.others]

    async def over() -> bool | None:
        runner, scope = shift.ctx.engine.runner, shift.ctx.scope
        return not any(runner.running(SHIFT, scope, id) for id in ids) or None

    await shift.x.until(over, every=0.2)
    return any(each["id"] != _source(shift) for each in shift.others)


def _source(shift: Shift) -> str | None:
    source = shift.state["source"]
    return source["deployment"] if source else None


async def _tidy(shift: Shift) -> None:
    await traffic.undo_superseded(shift)
    for each in shift.others:
        if each["id"] != _source(shift):
            shift.scale(each, 0.0)
    await _gone(shift, but=_source(shift))


async def _scale_up(shift: Shift) -> None:
    shift.scale(shift.green, 100.0)

    async def up() -> bool | None:
        return scaling.up(shift.service, shift.green) or None

    try:
        await shift.x.until(up, [shift.topic], deadline=shift.state["since"] + STAGE_SECONDS)
    except TimeoutError:
        raise rolled_back_because("SCALE_UP did not end within 24 hours.") from None
    shift.mark_up()


async def _compared(shift: Shift) -> bool:
    """Whether an old revision serves beside the new one. If none does, there is nothing to share or to go back to."""
    source = _source(shift)
    return source is not None and scaling.runs(shift.ctx, shift.service, source)


async def _shift_production(shift: Shift, percent: float) -> None:
    at = f" {percent}"
    before = shift.state["production"]
    await _stage(shift, "PRE_PRODUCTION_TRAFFIC_SHIFT", production=before, at=at)
    await _stage(
        shift,
        "PRODUCTION_TRAFFIC_SHIFT",
        lambda: traffic.production(shift, percent),
        production=percent,
        at=at,
    )


async def _stage(
    shift: Shift,
    name: str,
    work: Callable[[], Awaitable[None]] | None = None,
    *,
    production: float | None = None,
    test: float | None = None,
    at: str = "",
) -> None:
    """Enter a stage, do its work, run its hooks. `production` and `test` are the shares of the new revision that
    hooks are told of; `at` tells recurring stages apart."""

    def enter() -> None:
        row = shift.row
        row["shift"] |= {
            "stage": name,
            "since": shift.ctx.now(),
            "hooks": hooks.prepare(shift.ctx, shift.configuration, name),
        }
        row["shown"]["updatedAt"] = shift.ctx.now()
        SERVICE_DEPLOYMENTS.put(shift.ctx, row)
        for hook in row["shift"]["hooks"]:
            hooks.tell(shift.ctx, row, hook)

    async def run_hooks() -> None:
        await hooks.run(shift, name, traffic.payload(shift, production=production, test=test))

    await shift.x.record(name + at, enter)
    if work:
        await shift.x.step(f"{name}{at} work", work)
    await shift.x.step(f"{name}{at} hooks", run_hooks)


async def _gone(shift: Shift, but: str | None = None) -> None:
    """Until no task of another revision serves any more: all have drained."""

    async def gone() -> bool | None:
        others = [each for each in shift.others if each["id"] != but]
        return all(scaling.down(shift.ctx, shift.service, each) for each in others) or None

    await shift.x.until(gone, [shift.topic])


async def _back(shift: Shift) -> None:
    """Back to the old revision: the traffic at once, then everything else."""
    if shift.state["failure"]["back"] is None:
        return
    production, test = (shift.state["failure"][kind] for kind in ("production", "test"))
    await shift.x.step("back tasks", lambda: ending.until_source_serves(shift))
    await shift.x.step("back traffic", lambda: traffic.back(shift))
    problem = await shift.x.step("back hooks", lambda: _back_hooks(shift, production, test))
    await shift.x.record("back CLEAN_UP", lambda: ending.clean_up_failed(shift))
    await ending.until_failed_are_gone(shift)
    await shift.x.record("back ended", lambda: ending.end_rollback(shift, problem))


async def _back_hooks(shift: Shift, production: float, test: float) -> str | None:
    """The hooks of the shifts that were undone; what went wrong, if something did."""
    try:
        if test:
            await _stage(shift, "TEST_TRAFFIC_SHIFT", test=0.0, at=" back")
        if production:
            await _stage(shift, "PRODUCTION_TRAFFIC_SHIFT", production=0.0, at=" back")
    except DeploymentFailed as failure:
        return str(failure)
    return None


async def _failed(x: Execution, error: Exception) -> None:
    """Stopped because another deployment took over, which does the rest; anything else is a bug."""
    if not isinstance(error, Stopped):
        log.error("the deployment %s could not be taken back: %r", x.id, error)
        ending.give_up(Shift(x), str(error))


def execution_id(cluster: str, service: str, number: int) -> str:
    """The id of the execution of a service deployment."""
    return f"{cluster}/{service}/{number}"


SHIFT = ExecutionKind("ecs.deployment", _run, _failed)
