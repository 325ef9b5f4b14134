"""What takes a running deployment back: a stop request, the circuit breaker, alarms.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html"""

from __future__ import annotations

from homeport.engine.services.ecs import circuit_breaker
from homeport.engine.services.ecs.deployments import rollout
from homeport.engine.services.ecs.deployments.failure import DeploymentFailed
from homeport.engine.services.ecs.deployments.shift import Shift

LOOK_SECONDS = 1.0


async def watch(shift: Shift) -> None:
    """Look until the deployment fails. Raises DeploymentFailed, and Stopped when another deployment takes over."""

    async def look() -> None:
        check_stop_request(shift)
        if shift.state["stage"] != "CLEAN_UP":
            _breaker(shift)
            await _alarms(shift)

    await shift.x.until(look, [shift.topic, *_alarm_topics(shift)], every=LOOK_SECONDS)


def _alarm_topics(shift: Shift) -> list[str]:
    """The topics that are notified when the deployment's alarms change, so that traffic goes back at once."""
    names = (shift.configuration.get("alarms") or {}).get("alarmNames") or []
    return [f"cloudwatch.alarm:{shift.ctx.arn(f'alarm:{name}', 'cloudwatch')}" for name in names]


def check_stop_request(shift: Shift) -> None:
    """Raises DeploymentFailed when a person has asked for the deployment's stop."""
    wanted = shift.service["stopRequested"]
    if wanted:
        raise DeploymentFailed(
            "The service deployment was stopped by the user.",
            "STOPPED" if wanted == "ABORT" else "ROLLBACK_SUCCESSFUL",
        )


def _breaker(shift: Shift) -> None:
    breaker = shift.configuration.get("deploymentCircuitBreaker") or {}
    green = shift.green
    if circuit_breaker.tripped(breaker, green["failures"], shift.service["desiredCount"]):
        cause = f" The last task: {green['lastFailure']}" if green["lastFailure"] else ""
        raise _failed("the circuit breaker threshold was exceeded." + cause, bool(breaker.get("rollback")))


async def _alarms(shift: Shift) -> None:
    ringing = await rollout.alarms_in_alarm(shift.ctx, shift.service, shift.green)
    if ringing:
        rollback = bool((shift.configuration.get("alarms") or {}).get("rollback"))
        shift.note(alarms=ringing)
        raise _failed(f"of the alarm(s) in state ALARM: {', '.join(ringing)}.", rollback)


def _failed(cause: str, rollback: bool) -> DeploymentFailed:
    if rollback:
        return DeploymentFailed(f"Service deployment rolled back because {cause}")
    return DeploymentFailed(f"Service deployment stopped because {cause}", "STOPPED")
