"""The deployment that coordinates the update of a CloudFormation stack, for its hook AWS::CodeDeploy::BlueGreen.

CloudFormation makes the green resources and changes the listeners' weights; CodeDeploy says when: by the lifecycle
event that is under way, and by the weight that the target's new version is to have. CloudFormation follows both by
GetDeploymentTarget, and answers by UpdateCloudFormationDeployment.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-create-ecs-cfn.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.services.codedeploy import hooks, notifications, rollback, waits
from homeport.engine.services.codedeploy.configurations import shifts
from homeport.engine.services.codedeploy.deploying import Deploying
from homeport.engine.services.codedeploy.execution import skip_test_traffic, start
from homeport.engine.services.codedeploy.failure import DeploymentFailed
from homeport.engine.services.codedeploy.tables import ENDED

Body = dict[str, Any]


async def _run(x: Execution) -> None:
    deploying = Deploying(x)
    if deploying.row["status"] in ENDED:
        return
    try:
        await _coordinate(deploying)
        return
    except Stopped:
        told = deploying.row["stop"]
        failed = DeploymentFailed(told["code"], told["message"], told["status"])
    except DeploymentFailed as error:
        failed = error
    _give_up(deploying, failed)


async def _coordinate(deploying: Deploying) -> None:
    """All that happens when nothing fails. Raises DeploymentFailed, Stopped."""
    hook = partial(_hook, deploying)
    await deploying.record("start", partial(start, deploying))
    await hook("BeforeInstall")
    await deploying.event("Install", lambda: _have_done(deploying, "Install", 0))
    await hook("AfterInstall")
    if deploying.row["testTraffic"]:
        await deploying.event("AllowTestTraffic", lambda: _have_done(deploying, "AllowTestTraffic", 0))
        await hook("AfterAllowTestTraffic")
    else:
        await deploying.record("no test traffic", partial(skip_test_traffic, deploying))
    await hook("BeforeAllowTraffic")
    await deploying.event("AllowTraffic", lambda: _allow_traffic(deploying))
    await hook("AfterAllowTraffic")
    await waits.termination(deploying)
    await deploying.record("end", partial(_end, deploying))


async def _hook(deploying: Deploying, event: str) -> None:
    function = deploying.row["functions"].get(event)
    await deploying.event(event, lambda: hooks.carry_out(deploying, event, function))


async def _allow_traffic(deploying: Deploying) -> None:
    for shift in shifts(deploying.row["routing"]):
        await _have_done(deploying, "AllowTraffic", shift.percent)
        if shift.minutes:
            await waits.elapse(deploying, f"wait {shift.percent}", shift.minutes * waits.MINUTE)


async def _have_done(deploying: Deploying, event: str, percent: int) -> None:
    """Let CloudFormation do its part of a lifecycle event, and wait until it has."""

    def ask(row: Body) -> None:
        row["target"]["percent"] = percent
        _wake_stack(deploying)

    await deploying.record(f"{event} {percent} asked", ask)

    async def done() -> bool | None:
        return True if [event, percent] in deploying.row["carriedOut"] else None

    await deploying.x.step(f"{event} {percent} done", lambda: deploying.until(done))


def _end(deploying: Deploying, row: Body) -> None:
    row["info"] |= {"status": "Succeeded", "completeTime": deploying.ctx.now()}
    row["target"]["status"] = "Succeeded"
    notifications.emit(deploying.ctx, row)
    _wake_stack(deploying)


def _give_up(deploying: Deploying, failed: DeploymentFailed) -> None:
    rollback.end(deploying, failed)
    _wake_stack(deploying)


def _wake_stack(deploying: Deploying) -> None:
    """Let CloudFormation look at the deployment at once."""
    deploying.ctx.notify(f"cloudformation.wake:{deploying.info['externalId']}")


async def _failed(x: Execution, error: Exception) -> None:
    """A fault of homeport's own: the deployment ends, and CloudFormation rolls back."""
    message = f"There was an internal error: {type(error).__name__}: {error}"
    _give_up(Deploying(x), DeploymentFailed("INTERNAL_ERROR", message))


COORDINATION = ExecutionKind("codedeploy.coordination", _run, _failed)
