"""Docker's event stream: one connection for all containers of an engine instead of a question per container."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from homeport.engine.containers.client import Client
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable

log = logging.getLogger(__name__)

ACTIONS = ("create", "start", "die", "oom", "health_status", "destroy", "pause", "unpause")
RETRY_SECONDS = 2.0


class Event(NamedTuple):
    """Something that happened to a container. `action` is Docker's word (`start`, `die`, `oom`,
    `health_status: healthy`, …), or `connected` without a name: what came before is unknown, look at all."""

    action: str
    name: str
    labels: Mapping[str, str]
    exit_code: int | None
    time: float


class Events:
    """The event stream of the containers with one label, kept open from its start."""

    def __init__(self, client: Client, label: str, notify: Callable[[str], None]) -> None:
        self._client = client
        self._label = label
        self._notify = notify
        self._listeners: list[Callable[[Event], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._since: str | None = None

    def listen(self, hear: Callable[[Event], None]) -> None:
        """Call `hear` for every event that comes while the stream is open."""
        self._listeners.append(hear)

    def start(self) -> None:
        """Open the stream unless it is open."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="docker events")

    async def close(self) -> None:
        """Close the stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._read()
            except (DockerUnavailable, DockerRefused) as error:
                log.debug("the event stream of Docker ended: %s", error)
            except Exception:  # whatever it was, everything waits for events
                log.exception("the event stream of Docker failed; it is opened again")
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        filters = json.dumps({"type": ["container"], "label": [self._label], "event": list(ACTIONS)})
        params = {"filters": filters, **({"since": self._since} if self._since else {})}
        async with self._client.stream("GET", "events", params) as response:
            self._tell(Event("connected", "", {}, None, 0.0))
            async for line in response.content:
                self._hear(json.loads(line))

    def _hear(self, message: Mapping[str, Any]) -> None:
        nanoseconds = int(message["timeNano"])
        self._since = f"{nanoseconds // 10**9}.{nanoseconds % 10**9 + 1:09d}"
        attributes = message["Actor"]["Attributes"]
        code = attributes.get("exitCode")
        event = Event(
            action=message["Action"],
            name=attributes.get("name", ""),
            labels=attributes,
            exit_code=int(code) if code is not None else None,
            time=nanoseconds / 1e9,
        )
        self._tell(event)

    def _tell(self, event: Event) -> None:
        if event.name:
            self._notify(f"docker:{event.name}")
        for hear in self._listeners:
            try:
                hear(event)
            except Exception:
                log.exception("a listener failed at %s of %s", event.action, event.name)
