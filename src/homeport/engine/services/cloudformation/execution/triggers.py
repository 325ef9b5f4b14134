"""Rollback triggers: alarms that take an operation on a stack back.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
"""

from __future__ import annotations

from homeport.engine.services.cloudformation.execution.work import ResourceFailed, Work
from homeport.engine.services.cloudformation.tables import Body
from homeport.engine.wire.errors import AwsError

_LOOK_SECONDS = 1.0
_MINUTE = 60.0


def watch(work: Work) -> None:
    """Let the operation's waits look at the stack's rollback triggers, if it has any."""
    arns = [each["Arn"] for each in _configuration(work).get("RollbackTriggers", [])]
    if arns:
        work.watch = lambda: _ringing(work, arns)


async def monitor(work: Work) -> str | None:
    """Look at the triggers once all resources are there, and go on for the monitoring time. Answers why the operation
    is to be taken back, None when it is not."""
    minutes = _configuration(work).get("MonitoringTimeInMinutes", 0)
    if not minutes and work.watch is None:
        return None

    async def deadline() -> float:
        return work.ctx.now() + minutes * _MINUTE

    until = await work.x.step("monitored until", deadline)

    async def over() -> Body | None:
        if work.watch and (why := await work.watch()):
            return {"why": why}
        return {"why": None} if work.ctx.now() >= until else None

    async def monitored() -> Body:
        try:
            return await work.poll(over, _LOOK_SECONDS, minutes * _MINUTE + 3600.0)
        except ResourceFailed as failed:
            return {"why": str(failed)}

    why: str | None = (await work.x.step("monitored", monitored))["why"]
    return why


def _configuration(work: Work) -> Body:
    found: Body = work.stack.get("RollbackConfiguration") or {}
    return found


async def _ringing(work: Work, arns: list[str]) -> str | None:
    """Why the triggers want the operation to be taken back."""
    names = [arn.partition(":alarm:")[2] for arn in arns]
    try:
        answer = await work.actor.client("cloudwatch", role=work.role).describe_alarms(
            AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    except AwsError as error:
        return f"The rollback triggers could not be read: {error.message}"
    states = {
        alarm["AlarmArn"]: alarm["StateValue"]
        for alarm in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    }
    missing = [arn for arn in arns if arn not in states]
    ringing = [arn for arn in arns if states.get(arn) == "ALARM"]
    if missing:
        return f"The following rollback triggers do not exist: [{', '.join(missing)}]"
    return f"The following rollback triggers are in ALARM state: [{', '.join(ringing)}]" if ringing else None
