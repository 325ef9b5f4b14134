"""What an execution environment says, on its way to CloudWatch Logs with the permissions of the function's role.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from homeport.engine.services.context import Context
from homeport.engine.services.log_events import LogEvent, pieces, requests, unless_there
from homeport.engine.wire.errors import AwsError

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
TAIL = 4096
"""Bytes of an invocation's log that `LogType=Tail` returns."""


class LogStream:
    """The log stream of one environment. A role that may not write logs loses them, as on AWS."""

    def __init__(self, ctx: Context, group: str, name: str, role: str) -> None:
        self.group = group
        self.name = name
        self._ctx = ctx
        self._role = role
        self._made = False
        self._events: list[LogEvent] = []
        self._tail = b""
        self._sending = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Forget what `tail` told: an invocation begins."""
        self._tail = b""

    def write(self, text: str) -> None:
        """Add one event; it is sent a moment later, together with what comes in the meantime."""
        self._tail = (self._tail + f"{text}\n".encode())[-TAIL:]
        now = int(self._ctx.now() * 1000)
        self._events += [LogEvent(timestamp=now, message=piece or " ") for piece in pieces(text)]
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._spawn)

    def tail(self) -> bytes:
        """The last 4 KB of what was written since `begin`."""
        return self._tail

    async def flush(self) -> None:
        """Send everything that was written."""
        async with self._sending:
            while self._events:
                written, self._events = self._events, []
                try:
                    for events in requests(written):
                        await self._send(events)
                except AwsError as error:
                    log.info("the log of %s is lost: %s", self.group, error.message)

    def _spawn(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self.flush(), name=f"log of {self.group}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, events: list[LogEvent]) -> None:
        logs = self._ctx.client("logs", role=self._role)
        if not self._made:
            await unless_there(logs.create_log_group(logGroupName=self.group))
            await unless_there(logs.create_log_stream(logGroupName=self.group, logStreamName=self.name))
            self._made = True
        await logs.put_log_events(logGroupName=self.group, logStreamName=self.name, logEvents=events)


def stream_name(now: float, version: str, id: str) -> str:
    """`2026/11/25/[$LATEST]<32 hex digits>`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y/%m/%d}/[{version}]{id}"
