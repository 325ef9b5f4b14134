"""What a deployment waits for: that minutes pass, or that somebody lets it go on."""

from __future__ import annotations

import contextlib
from typing import Any

from homeport.engine.services.codedeploy.deploying import Deploying

MINUTE, HOUR = 60.0, 3600.0


async def elapse(deploying: Deploying, step: str, seconds: float) -> None:
    """Wait that long, over restarts. Raises Stopped, DeploymentFailed."""
    until = deploying.ctx.now() + seconds
    end = await deploying.x.step(f"{step} until", lambda: deadline(until))
    await deploying.x.step(step, lambda: _elapsed(deploying, end))


async def continued(deploying: Deploying, wait: str) -> None:
    """Wait for ContinueDeployment. Raises TimeoutError when the wait is over, Stopped, DeploymentFailed."""

    async def is_continued() -> bool | None:
        return True if deploying.row["waits"].get(wait) == "continued" else None

    await deploying.until(is_continued, deadline=deploying.row["waits"]["until"])


async def termination(deploying: Deploying) -> None:
    """Wait before the original task set goes."""
    configuration = deploying.group["blueGreenDeploymentConfiguration"]
    blue = configuration.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    until = deploying.ctx.now() + (blue.get("terminationWaitTimeInMinutes") or 0) * MINUTE

    def wait(row: dict[str, Any]) -> None:
        row["info"]["instanceTerminationWaitTimeStarted"] = True
        row["waits"] |= {"TERMINATION_WAIT": "waiting", "until": until}

    await deploying.record("termination waits", wait)
    await deploying.x.step("termination", lambda: _kept(deploying))
    await deploying.record("terminating", lambda row: row["waits"].update(TERMINATION_WAIT="over"))


async def deadline(until: float) -> float:
    """A moment, for a step to record."""
    return until


async def _elapsed(deploying: Deploying, end: float) -> None:
    with contextlib.suppress(TimeoutError):
        await deploying.until(_nothing, every=HOUR, deadline=end)


async def _nothing() -> None:
    return None


async def _kept(deploying: Deploying) -> None:
    with contextlib.suppress(TimeoutError):
        await continued(deploying, "TERMINATION_WAIT")
