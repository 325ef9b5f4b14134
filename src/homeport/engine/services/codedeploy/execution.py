"""A deployment from its start to its end, as durable steps.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html#deployment-steps-what-happens"""

from __future__ import annotations

from functools import partial
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codedeploy import (
    appspec,
    hooks,
    notifications,
    revisions,
    rollback,
    traffic,
    waits,
)
from homeport.engine.services.codedeploy import task_sets as sets
from homeport.engine.services.codedeploy.configurations import Shift, shifts
from homeport.engine.services.codedeploy.deploying import Deploying, mark
from homeport.engine.services.codedeploy.failure import REQUEST, DeploymentFailed
from homeport.engine.services.codedeploy.targets import task_sets_info
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


async def _run(x: Execution) -> None:
    deploying = Deploying(x)
    row = deploying.row
    if row["status"] == "Succeeded":
        await _tell_success(deploying)
        return
    if row["decision"] is None:
        try:
            await _deploy(deploying)
            return
        except Stopped as stopped:
            failed = DeploymentFailed("MANUAL_STOP", str(stopped), "Stopped", REQUEST)
        except DeploymentFailed as error:
            failed = error
        rollback.decide(deploying, failed)
    await rollback.carry_out(deploying)


async def _deploy(deploying: Deploying) -> None:
    """All that happens when nothing fails. Raises DeploymentFailed, Stopped."""
    x = deploying.x
    await deploying.record("start", partial(start, deploying))
    await x.step("start told", lambda: notifications.publish(deploying.ctx, deploying.row, "DeploymentStart"))
    # an alarm that is on already stops the deployment
    await x.step("alarms", lambda: deploying.until(_at_once))
    spec = await x.step("revision", lambda: _revision(deploying))
    found = await x.step(
        "find", lambda: sets.find(deploying), lambda found: deploying.change(partial(_find, found=found))
    )
    listeners = traffic.production(deploying), traffic.test(deploying)
    hook = partial(_hook, deploying, spec)

    await hook("BeforeInstall")
    await deploying.event("Install", lambda: _install(deploying, spec, found))
    await hook("AfterInstall")
    if listeners[1]:
        await deploying.event("AllowTestTraffic", lambda: _allow_test_traffic(deploying, found))
        await hook("AfterAllowTestTraffic")
    else:
        await deploying.record("no test traffic", partial(skip_test_traffic, deploying))
    await _ready(deploying)
    await hook("BeforeAllowTraffic")
    await deploying.event("AllowTraffic", lambda: _allow_traffic(deploying, found))
    await hook("AfterAllowTraffic")
    await _terminate(deploying, found)
    info = await x.step("last look", lambda: task_sets_info(deploying.ctx, deploying.row))
    await deploying.record("end", partial(_end, deploying, info))
    await _tell_success(deploying)


async def _tell_success(deploying: Deploying) -> None:
    await deploying.x.step(
        "end told", lambda: notifications.publish(deploying.ctx, deploying.row, "DeploymentSuccess")
    )


async def _at_once() -> bool:
    return True


def start(deploying: Deploying, row: Body) -> None:
    """Write that the deployment has begun."""
    row["info"] |= {"status": "InProgress", "startTime": deploying.ctx.now()}
    row["target"]["status"] = "InProgress"
    notifications.emit(deploying.ctx, row)


async def _revision(deploying: Deploying) -> Body:
    """What the AppSpec file says; one in S3 is read as the group's role."""
    revision = deploying.info["revision"]
    content = revisions.inline(revision)
    if content is None:
        location = revision["s3Location"]
        answer = await deploying.call(
            "s3",
            "get_object",
            Bucket=location["bucket"],
            Key=location["key"],
            VersionId=location.get("version"),
            IfMatch=location.get("eTag"),
        )
        body = answer["Body"]
        parts = [body] if isinstance(body, bytes) else [chunk async for chunk in body]
        content = b"".join(parts).decode(errors="replace")
    try:
        return appspec.parse(content)
    except AwsError as error:
        raise DeploymentFailed("INVALID_REVISION", error.message) from None


def _find(row: Body, found: Body) -> None:
    row["target"]["found"] = found


async def _hook(deploying: Deploying, spec: Body, event: str) -> None:
    await deploying.event(event, lambda: hooks.carry_out(deploying, event, spec["hooks"].get(event)))


async def _install(deploying: Deploying, spec: Body, found: Body) -> None:
    """The replacement task set, until it is healthy. Its target group gets no traffic yet, but health checks; what an
    earlier deployment left there may have had some."""
    x, now = deploying.x, deploying.ctx.now()
    await _shift(deploying, found, "attach", Shift(0, 0))
    await x.step("leftovers", lambda: sets.delete(deploying, found["leftovers"]))
    id = await x.step(
        "task set",
        lambda: sets.create(deploying, spec, found),
        lambda id: deploying.change(lambda row: row["target"]["found"]["green"].update(taskSet=id)),
    )
    deadline = await x.step("install until", lambda: waits.deadline(now + sets.TIMEOUT_SECONDS))
    await x.step("steady", lambda: sets.until_steady(deploying, id, deadline))


async def _allow_test_traffic(deploying: Deploying, found: Body) -> None:
    listener = traffic.test(deploying)
    assert listener is not None
    blue, green = found["blue"]["group"], found["green"]["group"]
    await deploying.x.step("test traffic", lambda: traffic.shift(deploying, listener, blue, green, 100))


def skip_test_traffic(deploying: Deploying, row: Body) -> None:
    """Write that there is no test traffic."""
    for name in ("AllowTestTraffic", "AfterAllowTestTraffic"):
        mark(row, name, "Skipped", deploying.ctx.now())


async def _ready(deploying: Deploying) -> None:
    """Wait for ContinueDeployment, if the group wants that."""
    option = deploying.group["blueGreenDeploymentConfiguration"].get("deploymentReadyOption") or {}
    minutes = option.get("waitTimeInMinutes") or 0
    if option.get("actionOnTimeout", "CONTINUE_DEPLOYMENT") == "CONTINUE_DEPLOYMENT" or not minutes:
        return
    deadline = deploying.ctx.now() + minutes * waits.MINUTE

    def wait(row: Body) -> None:
        row["info"]["status"] = row["target"]["status"] = "Ready"
        row["waits"] |= {"READY_WAIT": "waiting", "until": deadline}
        notifications.emit(deploying.ctx, row)

    await deploying.record("ready", wait)
    await deploying.x.step(
        "ready told", lambda: notifications.publish(deploying.ctx, deploying.row, "DeploymentReady")
    )
    try:
        await deploying.x.step("continued", lambda: waits.continued(deploying, "READY_WAIT"))
    except TimeoutError:
        raise DeploymentFailed(
            "TIMEOUT",
            "The deployment timed out while waiting for a notification to continue. This time out period is "
            f"{minutes} minutes.",
            "Stopped",
        ) from None

    def go_on(row: Body) -> None:
        row["info"]["status"] = row["target"]["status"] = "InProgress"
        row["waits"]["READY_WAIT"] = "over"

    await deploying.record("going on", go_on)


async def _allow_traffic(deploying: Deploying, found: Body) -> None:
    """Production traffic goes over, as the deployment configuration says."""
    x = deploying.x
    for shift in shifts(deploying.row["routing"]):
        await _shift(deploying, found, f"shift {shift.percent}", shift)
        if shift.minutes:
            await waits.elapse(deploying, f"wait {shift.percent}", shift.minutes * waits.MINUTE)
    id = deploying.row["target"]["found"]["green"]["taskSet"]
    await x.step("primary", lambda: sets.make_primary(deploying, id))


async def _shift(deploying: Deploying, found: Body, step: str, shift: Shift) -> None:
    blue, green = found["blue"]["group"], found["green"]["group"]
    listener = traffic.production(deploying)

    def shifted(row: Body) -> None:
        row["target"] |= {"percent": shift.percent, "attached": True}

    await deploying.x.step(
        step,
        lambda: traffic.shift(deploying, listener, blue, green, shift.percent),
        lambda _: deploying.change(shifted),
    )


async def _terminate(deploying: Deploying, found: Body) -> None:
    """Keep the original task set for a while, and delete it then."""
    await waits.termination(deploying)
    await deploying.x.step("terminate", lambda: sets.delete(deploying, [found["blue"]["taskSet"]]))


def _end(deploying: Deploying, task_sets_info: list[Body], row: Body) -> None:
    row["info"] |= {"status": "Succeeded", "completeTime": deploying.ctx.now()}
    row["target"] |= {"status": "Succeeded", "taskSetsInfo": task_sets_info}
    notifications.emit(deploying.ctx, row)


async def _failed(x: Execution, error: Exception) -> None:
    """A fault of homeport's own: the deployment ends as it is."""
    deploying = Deploying(x)
    failed = DeploymentFailed(
        "INTERNAL_ERROR", f"There was an internal error: {type(error).__name__}: {error}"
    )
    rollback.end(deploying, failed)


DEPLOYMENT = ExecutionKind("codedeploy.deployment", _run, _failed)
