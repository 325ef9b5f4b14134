"""How a deployment that shifts traffic ends: with the new revision, or with the old one again."""

from __future__ import annotations

from homeport.engine.services.ecs.deployments import monitors, rollout, scaling
from homeport.engine.services.ecs.deployments.shift import Shift
from homeport.engine.services.ecs.revisions import end_service_deployment
from homeport.engine.services.ecs.service_rows import alive
from homeport.engine.services.ecs.tables import DEPLOYMENTS, SERVICES
from homeport.engine.services.ecs.task_rows import SERVICE, TASK, Body, task_key

_NO_CANDIDATE = "No rollback candidate was found to run the rollback."


def clean_up(shift: Shift) -> None:
    """The new revision is the service's from now on; the old one goes. Called in a transaction."""
    shift.note(stage="CLEAN_UP", since=shift.ctx.now(), hooks=[])
    for each in shift.others:
        shift.scale(each, 0.0)
    green = shift.green
    completed = {"deployment": green["id"], "revision": green["revision"]}
    shift.change_service(lambda service: service.update(lastCompleted=completed))


def succeed(shift: Shift) -> None:
    """Everything is done. Raises DeploymentFailed when a stop was asked for in the last moment."""
    monitors.check_stop_request(shift)
    shift.change_service(lambda service: rollout.complete(shift.ctx, service, shift.green, "SUCCESSFUL"))
    for row in alive(shift.ctx, shift.service):
        if row["desiredStatus"] == "STOPPED":  # it need not be found any more
            shift.ctx.wake(TASK, task_key(row))


def fail(shift: Shift, reason: str, status: str) -> None:
    """Decide, in one transaction, that the deployment has failed; its source becomes the primary one again, with
    the tasks that it has. Without a source everything stays as it is. `status` is how that ends."""
    with shift.ctx.store.transaction():
        service, state = shift.service, shift.state
        service["stopRequested"] = None
        rollout.mark_failed(shift.ctx, service, shift.green, reason)
        back = _go_back(shift, service, reason, status) if state["source"] else None
        if back is None:
            _end(shift, service, reason, status)
        kept = {member: state[member] for member in ("production", "test", "stage")}
        shift.note(failure={"reason": reason, "status": status, "back": back, **kept})
        SERVICES.put(shift.ctx, service)
        shift.ctx.wake(SERVICE, f"{shift.cluster}/{shift.name}")


def _go_back(shift: Shift, service: Body, reason: str, status: str) -> str:
    source = shift.state["source"]
    before = shift.deployment_of(source["deployment"])
    primary = rollout.return_to(shift.ctx, service, shift.green, source, "ECS deployment failed")
    DEPLOYMENTS.put(shift.ctx, primary | {"scale": 100.0, "serving": before.get("serving", 0), "up": True})
    shift.scale(before, 0.0)
    service["lastCompleted"] = dict(source)
    if status == "STOPPED":
        end_service_deployment(shift.ctx, service, shift.number, "STOP_REQUESTED", reason)
    else:
        rollout.note_rollback(shift.ctx, service, shift.number, source["revision"], reason)
    back: str = primary["id"]
    return back


def _end(shift: Shift, service: Body, reason: str, status: str) -> None:
    if status == "STOPPED":
        end_service_deployment(shift.ctx, service, shift.number, "STOPPED", reason)
    else:
        end_service_deployment(
            shift.ctx, service, shift.number, "ROLLBACK_FAILED", f"{_NO_CANDIDATE} {reason}"
        )


async def until_source_serves(shift: Shift) -> None:
    """Before its tasks are stopped they all serve, and there is nothing to wait for."""
    failure = shift.state["failure"]

    async def serves() -> bool | None:
        primary = shift.deployment_of(failure["back"])
        wanted = scaling.wanted(shift.service, primary)
        needed = wanted if failure["stage"] == "CLEAN_UP" else min(1, wanted)
        return primary.get("serving", 0) >= needed or None

    await shift.x.until(serves, [shift.topic])


def clean_up_failed(shift: Shift) -> None:
    """The new revision goes, and whatever else there is beside the old one. Called in a transaction."""
    shift.note(stage="CLEAN_UP", since=shift.ctx.now(), hooks=[])
    for each in _failed(shift):
        shift.scale(each, 0.0)


async def until_failed_are_gone(shift: Shift) -> None:
    """Until only the old revision's tasks serve: all others have drained."""

    async def gone() -> bool | None:
        return all(scaling.down(shift.ctx, shift.service, each) for each in _failed(shift)) or None

    await shift.x.until(gone, [shift.topic])


def _failed(shift: Shift) -> list[Body]:
    back = shift.state["failure"]["back"]
    return [shift.green, *(each for each in shift.others if each["id"] != back)]


def end_rollback(shift: Shift, problem: str | None) -> None:
    """The old revision is the service's again. `problem` is what went wrong on the way."""
    failure = shift.state["failure"]
    status = "ROLLBACK_FAILED" if problem else failure["status"]

    def complete(service: Body) -> None:
        primary = shift.deployment_of(failure["back"])
        rollout.complete(shift.ctx, service, primary, status, problem)

    shift.change_service(complete)


def give_up(shift: Shift, problem: str) -> None:
    """The rollback itself failed."""
    end_service_deployment(shift.ctx, shift.service, shift.number, "ROLLBACK_FAILED", problem)
