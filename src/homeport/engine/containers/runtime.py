"""Containers of one engine, by deterministic names.

Containers outlive the engine: `ensure` creates one or finds the one that an earlier process created under the
same name, `wait` and `logs` go on where that process was. Every container carries the engine's id as the label
`homeport.engine`, and nothing without it is ever touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from homeport.engine.containers.client import Client
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, NoSuchContainer
from homeport.engine.containers.events import Event, Events
from homeport.engine.containers.exec import Exec, start_exec
from homeport.engine.containers.images import Images
from homeport.engine.containers.logs import Line, Position, read_logs
from homeport.engine.containers.network import Network, Networks

log = logging.getLogger(__name__)

ENGINE_LABEL = "homeport.engine"
LOGS = {"Type": "local", "Config": {"max-size": "64m", "max-file": "3", "compress": "false"}}
"""The driver that keeps output byte for byte; Docker's default damages lines of more than 16 KiB."""

_REMOVED_SECONDS = 30.0


class Exit(NamedTuple):
    """How a container ended: exit code, whether the kernel killed it for its memory, Docker's error, when."""

    code: int
    oom: bool
    error: str
    started: float | None
    finished: float | None


class Runtime:
    """Docker, as the services of one engine use it.

    `notify` is called with `docker:<container name>` whenever that container starts, dies or changes its
    health; `listen` hands over the events themselves.
    """

    def __init__(self, engine_id: str, notify: Callable[[str], None] = lambda topic: None) -> None:
        self.engine_id = engine_id
        self._client = Client()
        self._events = Events(self._client, f"{ENGINE_LABEL}={engine_id}", notify)
        self._info: dict[str, Any] | None = None
        self._creating: set[asyncio.Task[Any]] = set()
        self.images = Images(self._client)
        self.networks = Networks(self._client, engine_id)

    # -- names, labels, events

    def name(self, *parts: str) -> str:
        """The name of a container: `homeport-<engine id>-<parts joined by hyphens>`."""
        return "-".join(("homeport", self.engine_id, *parts))

    def listen(self, hear: Callable[[Event], None]) -> None:
        """Call `hear` for each event of this engine's containers; the stream opens with the first container
        that is made, or with `watch`, and is opened again when Docker restarts."""
        self._events.listen(hear)

    def watch(self) -> None:
        """Open the event stream: there are containers that an earlier process made."""
        self._events.start()

    async def ping(self) -> None:
        """Return when Docker answers. Raises DockerUnavailable."""
        await self._client.call("GET", "version")

    async def info(self) -> dict[str, Any]:
        """What Docker said of itself and the machine when it was first asked (`NCPU`, `MemTotal`,
        `Architecture`, …)."""
        if self._info is None:
            self._info = await self._client.call("GET", "info")
        return self._info

    async def network(self) -> Network:
        """The engine's network, made when it is missing."""
        return await self.networks.ensure()

    # -- one container

    async def ensure(
        self, name: str, config: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> str:
        """Create the container, or find the one that has this name, and return its id.

        `config` is the body of Docker's container create call. Raises NoSuchImage, DockerRefused.
        https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate
        """
        self._events.start()
        own = {ENGINE_LABEL: self.engine_id, **(labels or {})}
        host = {"LogConfig": LOGS, **config.get("HostConfig", {})}
        body = {**config, "HostConfig": host, "Labels": {**config.get("Labels", {}), **own}}
        # Docker makes it to the end though the caller is cancelled: whoever removes all containers waits for it
        creating = asyncio.create_task(
            self._client.call("POST", "containers/create", {"name": name}, body), name=f"create {name}"
        )
        self._creating.add(creating)
        creating.add_done_callback(self._creating.discard)
        try:
            created: dict[str, Any] = await asyncio.shield(creating)
            return str(created["Id"])
        except DockerRefused as error:
            if error.status != 409:
                raise
            found = await self.inspect(name)
            if found is None or found["Config"]["Labels"].get(ENGINE_LABEL) != self.engine_id:
                raise
            return found["Id"]

    async def start(self, name: str) -> None:
        """Start it; one that runs already stays as it is. Raises NoSuchContainer, DockerRefused (a program
        that is not there, a port that is taken, …)."""
        await self._client.call("POST", f"containers/{name}/start")

    async def stop(self, name: str, timeout: int = 10) -> None:
        """Send its stop signal, and SIGKILL after `timeout` seconds; return when it has ended."""
        await self._unless_gone("POST", f"containers/{name}/stop", {"t": timeout})

    async def kill(self, name: str, signal: str = "SIGKILL") -> None:
        """Send a signal; nothing happens when it does not run."""
        try:
            await self._unless_gone("POST", f"containers/{name}/kill", {"signal": signal})
        except DockerRefused as error:
            if error.status != 409:
                raise

    async def wait(self, name: str) -> Exit:
        """Return when it has ended (one that was created and never started has not). Raises NoSuchContainer.

        It goes on through a restart of Docker."""
        while True:
            try:
                await self._client.call("POST", f"containers/{name}/wait", {"condition": "not-running"})
                found = await self.inspect(name)
                if found is None:
                    raise NoSuchContainer(404, f"The container {name} was removed while it was waited for.")
                if found["State"]["Status"] in ("exited", "dead"):
                    return exit_of(found)
                await asyncio.sleep(0.2)
            except DockerUnavailable:
                await asyncio.sleep(1)

    async def inspect(self, name: str) -> dict[str, Any] | None:
        """Docker's record of the container, or None when there is none."""
        try:
            return await self._client.call("GET", f"containers/{name}/json")
        except NoSuchContainer:
            return None

    async def remove(self, name: str) -> None:
        """Remove it with its anonymous volumes, running or not. Do so only when its result is committed."""
        try:
            await self._unless_gone("DELETE", f"containers/{name}", {"force": "1", "v": "1"})
        except DockerRefused as error:
            if error.status != 409 or "already in progress" not in error.message:
                raise

    async def remove_volume(self, name: str) -> None:
        """Remove a named volume; one that is not there or still used stays as it is."""
        try:
            await self._client.call("DELETE", f"volumes/{name}")
        except DockerRefused as error:
            if error.status not in (404, 409):
                raise

    async def _unless_gone(self, method: str, path: str, params: Mapping[str, str | int]) -> None:
        with contextlib.suppress(NoSuchContainer):
            await self._client.call(method, path, params)

    # -- all containers

    async def containers(self, **labels: str) -> list[dict[str, Any]]:
        """The engine's containers, running or not, that carry these labels (`service="ecs"` asks for
        `homeport.service=ecs`), as Docker's summaries."""
        wanted = [
            f"{ENGINE_LABEL}={self.engine_id}",
            *(f"homeport.{key}={value}" for key, value in labels.items()),
        ]
        return await self._client.call(
            "GET", "containers/json", {"all": "1", "filters": json.dumps({"label": wanted})}
        )

    async def remove_all(self, **labels: str) -> None:
        """Kill and remove all containers with these labels, together. What Docker has not removed after a while it
        goes on removing, and the log tells."""
        if self._creating:
            await asyncio.wait(self._creating, timeout=_REMOVED_SECONDS)
        found = [each["Id"] for each in await self.containers(**labels)]
        if not found:
            return
        tasks = [asyncio.create_task(self.remove(id), name=id) for id in found]
        done, late = await asyncio.wait(tasks, timeout=_REMOVED_SECONDS)
        for task in late:
            task.cancel()
            log.warning(
                "Docker has not removed the container %s within %g s", task.get_name(), _REMOVED_SECONDS
            )
        for task in done:
            task.result()

    async def purge(self) -> None:
        """Remove every container of this engine, and its network."""
        await self.remove_all()
        await self.networks.remove()

    async def remove_volumes(self, prefix: str) -> None:
        """Remove the named volumes whose names begin with `prefix`, one of this engine's names. A container that Docker
        is still removing holds its volumes for a moment."""
        filters = json.dumps({"name": [prefix]})
        answer = await self._client.call("GET", "volumes", {"filters": filters})
        for volume in answer["Volumes"] or ():
            if volume["Name"].startswith(f"{prefix}-"):
                await self._remove_when_free(volume["Name"])

    async def _remove_when_free(self, volume: str) -> None:
        deadline = asyncio.get_running_loop().time() + _REMOVED_SECONDS
        while True:
            try:
                return await self._client.call("DELETE", f"volumes/{volume}", {"force": "1"})
            except DockerRefused as error:
                late = asyncio.get_running_loop().time() > deadline
                if error.status != 409 or "in use" not in error.message or late:
                    raise
            await asyncio.sleep(0.1)

    # -- what happens inside

    def logs(self, name: str, after: Position | None = None, follow: bool = True) -> AsyncIterator[Line]:
        """The lines that the container wrote after a position, neither losing nor doubling one; with `follow`
        until it ends."""
        return read_logs(self._client, name, after, follow)

    async def last_lines(self, name: str, count: int) -> list[str]:
        """The last lines that it wrote."""
        return [line.text async for line in read_logs(self._client, name, None, False, tail=count)]

    async def stats(self, name: str) -> dict[str, Any]:
        """One sample of its CPU, memory, network and block counters."""
        return await self._client.call("GET", f"containers/{name}/stats", {"stream": "0", "one-shot": "1"})

    async def resident(self, name: str) -> int:
        """Bytes of memory that its processes hold now; `stats` tell more, but only once a second. Raises
        DockerRefused when it does not run."""
        found = await self._client.call("GET", f"containers/{name}/top", {"ps_args": "-o pid,rss"})
        return sum(int(kilobytes) for _, kilobytes in found["Processes"]) * 1024

    async def exec(
        self,
        name: str,
        command: Sequence[str],
        *,
        tty: bool = False,
        user: str = "",
        environment: Mapping[str, str] | None = None,
        directory: str = "",
    ) -> Exec:
        """Run a command in the running container; the answer is read, written and resized like a terminal."""
        body = {
            "Cmd": list(command),
            "Tty": tty,
            "User": user,
            "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
            "WorkingDir": directory,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
        }
        created = await self._client.call("POST", f"containers/{name}/exec", body=body)
        return await start_exec(await self._client.docker(), created["Id"], tty)

    async def copy_in(self, name: str, directory: str, tar: bytes | BinaryIO) -> None:
        """Unpack a tar archive below a directory of the container, running or not."""
        await self._client.call("PUT", f"containers/{name}/archive", {"path": directory}, data=tar)

    async def copy_out(self, name: str, path: str) -> AsyncIterator[bytes]:
        """A file or directory of the container as a tar archive. Raises DockerRefused (404) without it."""
        async with self._client.stream("GET", f"containers/{name}/archive", {"path": path}) as response:
            async for chunk in response.content.iter_chunked(256 * 1024):
                yield chunk

    async def close(self) -> None:
        """Let go of Docker; containers go on."""
        await self._events.close()
        await self._client.close()


def exit_of(inspected: Mapping[str, Any]) -> Exit:
    """How the container of this record ended."""
    state = inspected["State"]
    return Exit(
        code=int(state["ExitCode"]),
        oom=bool(state["OOMKilled"]),
        error=str(state["Error"]),
        started=epoch(state["StartedAt"]),
        finished=epoch(state["FinishedAt"]),
    )


def epoch(stamp: str) -> float | None:
    """Docker's time stamp as seconds since the epoch; None for its zero."""
    if not stamp or stamp.startswith("0001-"):
        return None
    head, _, rest = stamp.partition(".")
    fraction = rest.rstrip("Z0123456789+-:") or rest.partition("Z")[0].partition("+")[0]
    whole = datetime.fromisoformat(head.rstrip("Z") + "+00:00").timestamp()
    return whole + (float(f"0.{fraction}") if fraction else 0.0)
