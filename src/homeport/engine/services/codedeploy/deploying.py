"""What a deployment works with while it runs: its row, its group's role, its lifecycle events, its waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from homeport.engine.durable.execution import Execution
from homeport.engine.services.codedeploy.failure import ALARM, DeploymentFailed, of_call
from homeport.engine.services.codedeploy.tables import DEPLOYMENTS
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
T = TypeVar("T")

ALARM_LOOK_SECONDS = 0.5
AGAIN_SECONDS = 0.5
ATTEMPTS = 3
"""How often a call is made that another service could not carry out for a reason of its own."""


class Deploying:
    """One running deployment. `role` is its group's service role, as which it makes every call."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.ctx: Context = x.ctx
        self.id = x.id
        self.group: Body = self.row["group"]
        self.info: Body = self.row["info"]
        self.role: str = self.group["serviceRoleArn"]

    @property
    def row(self) -> Body:
        """The row as it is now."""
        row = DEPLOYMENTS.get(self.ctx, self.id)
        assert row is not None, f"the deployment {self.id} is gone"
        return row

    def change(self, apply: Callable[[Body], Any]) -> None:
        """Change the row as it is now. Within a transaction, or as one."""
        with self.ctx.store.transaction():
            row = self.row
            apply(row)
            row["target"]["lastUpdatedAt"] = self.ctx.now()
            row["status"] = row["info"]["status"]
            DEPLOYMENTS.put(self.ctx, row)

    async def record(self, step: str, apply: Callable[[Body], Any]) -> None:
        """A step that changes the row."""
        await self.x.record(step, lambda: self.change(apply))

    async def call(self, service: str, operation: str, /, **parameters: Any) -> Body:
        """Call another service as the group's role. Raises DeploymentFailed."""
        for attempt in range(ATTEMPTS):
            try:
                return await getattr(self.ctx.client(service, role=self.role), operation)(**parameters)
            except AwsError as error:
                if (error.status or 400) < 500 or attempt == ATTEMPTS - 1:
                    raise of_call(service, self.role, error) from error
                await self.ctx.clock.sleep(AGAIN_SECONDS)
        raise AssertionError("unreachable")

    async def event(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """A lifecycle event: what it does, between the marks of its beginning and its end."""
        if self.row["waits"].get("TERMINATION_WAIT") != "over":  # there is no way back then
            self.x.check_stop()
        await self.record(f"{name} begins", lambda row: mark(row, name, "InProgress", self.ctx.now()))
        await work()
        await self.record(f"{name} ends", lambda row: mark(row, name, "Succeeded", self.ctx.now()))

    async def until(
        self,
        poll: Callable[[], Awaitable[T | None]],
        topics: Iterable[str] = (),
        every: float = 5.0,
        deadline: float | None = None,
    ) -> T:
        """Poll until there is an answer. Raises TimeoutError at the deadline, Stopped when a stop is asked for, and
        DeploymentFailed when one of the deployment's alarms goes off."""

        async def look() -> T | None:
            await self._check_alarms()
            return await poll()

        every = min(every, ALARM_LOOK_SECONDS) if self._alarms() else every
        return await self.x.until(look, [*topics, changed_topic(self.id)], every, deadline)

    async def _check_alarms(self) -> None:
        """https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html"""
        names = self._alarms()
        if not names:
            return
        try:
            answer = await self.call("cloudwatch", "describe_alarms", AlarmNames=names)
        except DeploymentFailed as failed:
            if self.row["alarms"].get("ignorePollAlarmFailure"):
                return
            raise DeploymentFailed(failed.code, failed.message, "Stopped", ALARM) from failed
        ringing = [
            alarm["AlarmName"]
            for alarm in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
            if alarm["StateValue"] == "ALARM"
        ]
        if ringing:
            raise DeploymentFailed(
                "ALARM_ACTIVE",
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and "
                f"the affected deployments have been stopped. Activated alarms: <{', '.join(sorted(ringing))}>",
                "Stopped",
                ALARM,
            )

    def _alarms(self) -> list[str]:
        configuration = self.row["alarms"]
        return (
            [each["name"] for each in configuration.get("alarms", [])] if configuration.get("enabled") else []
        )


def mark(row: Body, name: str, status: str, now: float) -> None:
    """Bring a lifecycle event of the target to another state."""
    for event in row["target"]["lifecycleEvents"]:
        if event["lifecycleEventName"] == name:
            event["status"] = status
            event.setdefault("startTime", now)
            if status != "InProgress":
                event["endTime"] = now


def changed_topic(id: str) -> str:
    """The topic that is notified when somebody else changes what a deployment waits for: a hook's answer, a request
    to go on."""
    return f"codedeploy.changed:{id}"
