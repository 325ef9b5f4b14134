"""The load balancers of an engine: one Envoy that carries out a desired state.

`apply` and `follow` return when Envoy works by the new state, a few milliseconds after it was written. Requests that
are on their way are never touched: routes and targets change for requests to come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from homeport.engine.proxy.clusters import cluster
from homeport.engine.proxy.endpoints import endpoints
from homeport.engine.proxy.files import ConfigFile, ConfigFiles
from homeport.engine.proxy.health import HealthWatch, TargetKey
from homeport.engine.proxy.listeners import listener, route_configurations, routes_file
from homeport.engine.proxy.metrics import Metrics
from homeport.engine.proxy.model import Desired, Target, TargetGroup
from homeport.engine.proxy.ports import Claims
from homeport.engine.proxy.process import Process
from homeport.engine.proxy.starting import Starting

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_LOOKS_A_SECOND = 10
_NOTHING = b'{"version_info": "", "resources": []}'
_FLUSHED_SECONDS = 0.3  # Envoy writes its logs every 0.1 s


class Proxy:
    """Needs nothing but a folder of its own. `close` leaves Envoy running, `terminate` does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.process = Process(self.folder)
        self.admin = self.process.admin
        self.health = HealthWatch(self.folder, self.admin)
        self.metrics = Metrics(self.folder, self.admin)
        self._files = ConfigFiles(self.admin, self.folder / "envoy.log")
        self._starting = Starting(self.health, self._show_as_new)
        self.claims = Claims()
        self._lock = asyncio.Lock()
        self.trouble: str | None = None
        """Why Envoy does not do what it was last told; None when it does."""
        self._last: Desired | None = None
        self._bare = False
        self._asked = 0
        self._done = 0
        self._watch: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        return self._watch is not None

    async def start(
        self,
        changed: Callable[[str], None] = lambda target_group: None,
        target_groups: Iterable[TargetGroup] = (),
        again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Adopt the Envoy of an earlier engine, or start one that does what the files say, and keep it alive.

        `changed` is called with a target group's id when the health of one of its targets changes; `target_groups` are
        those that the earlier engine had. `again` is called when Envoy had to be started anew, to apply the state once
        more; without it the last one is.
        """
        async with self._lock:
            if self._watch is not None:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            for file in (self._cds(), self._lds()):
                if not file.path.exists():
                    file.replace(_NOTHING)
            await self._ensure(target_groups)
            self._watch = asyncio.create_task(self._keep(changed, again or self._apply_last), name="proxy")

    async def apply(self, desired: Desired) -> None:
        """Make Envoy do this, and only this.

        Raises `Rejected` when Envoy cannot: then the state before stays in force.
        """
        await self.follow(lambda: desired)

    async def follow(self, desired: Callable[[], Desired]) -> None:
        """Apply what `desired` returns when the turn has come: whoever waits meanwhile shares that turn."""
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._done >= mine:
                return
            turn, state = self._asked, desired()
            self.health.expect(state.target_groups)
            with self._troubled():
                await self._apply(state)
            self._last, self._done = state, turn

    def sockets(self) -> set[tuple[str, int]]:
        """The addresses and ports that Envoy was told to listen on."""
        addresses = [each["address"]["socket_address"] for each in self._files.resources(self._lds())]
        return {(each["address"], each["port_value"]) for each in addresses}

    async def active_requests(self, target_group: str) -> dict[tuple[str, int], int]:
        """How many requests each target of a group is working on."""
        answer = await self.admin.get(f"/clusters?format=json&filter=^{target_group}$")
        return {
            (
                host["address"]["socket_address"]["address"],
                host["address"]["socket_address"]["port_value"],
            ): sum(
                int(stat.get("value", 0))
                for stat in host["stats"]
                if stat["name"] in ("rq_active", "rq_pending_active")
            )
            for cluster in answer.get("cluster_statuses", [])
            if cluster["name"] == target_group
            for host in cluster.get("host_statuses", [])
        }

    async def take_access_log(self, to: Path) -> None:
        """Move the access log away, if there is one with anything in it; Envoy begins another."""
        log_file = self.folder / "access.log"
        if log_file.exists() and log_file.stat().st_size:
            log_file.rename(to)
            await self.admin.post("/reopen_logs")
            await asyncio.sleep(_FLUSHED_SECONDS)

    async def close(self) -> None:
        """Let go of Envoy; it goes on."""
        self._starting.close()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self.admin.close()

    async def terminate(self) -> None:
        """End Envoy."""
        await self.close()
        await self.process.terminate()
        self._files.forget()

    async def _keep(self, changed: Callable[[str], None], again: Callable[[], Awaitable[None]]) -> None:
        """Follow the health of targets, and start Envoy anew when it died."""
        looks = 0
        while True:
            looks += 1
            try:
                for group in self.health.changes():
                    changed(group)
                if looks % _LOOKS_A_SECOND == 0:
                    if self.process.pid() is None:
                        await self._start_again()
                    if self._bare:
                        await again()
                        self._bare = False
                    async with self._lock:
                        await self.health.put_right()
                self._starting.look()
            except Exception:  # whatever it was, traffic must be looked after
                log.exception("the watch over Envoy failed; it goes on")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _start_again(self) -> None:
        log.error("Envoy ended; it is started again. It said: %s", self.process.last_words())
        async with self._lock:
            with self._troubled():
                await self._ensure()

    async def _ensure(self, target_groups: Iterable[TargetGroup] = ()) -> None:
        """Adopt Envoy, or start one that listens nowhere yet: of a port that another program took meanwhile it would
        say so in its log, and go on without it."""
        if not await self.process.answers():
            await self.process.terminate()
            self._lds().replace(_NOTHING)
            self._files.forget()
            self._bare = True
        await self.process.ensure()
        await self.health.recall(target_groups)

    async def _apply_last(self) -> None:
        if self._last is not None:
            await self.apply(self._last)

    @contextmanager
    def _troubled(self) -> Iterator[None]:
        """Remember in `trouble` why Envoy does not do what it should."""
        try:
            yield
        except Exception as error:
            self.trouble = str(error) or type(error).__name__
            raise
        self.trouble = None

    async def _show_as_new(self, group: TargetGroup, target: Target) -> None:
        """Take a target out and put it in again, so that Envoy checks it at once, as for the first time."""
        async with self._lock:
            now = self.health.group(group.id)
            if now is None or target not in now.targets:
                return
            self.health.again(TargetKey(group.id, target.address, target.port))
            without = replace(now, targets=tuple(each for each in now.targets if each != target))
            for state in (without, now):
                await self._files.write([(self._eds(group.id), [endpoints(state)])])

    async def _apply(self, desired: Desired) -> None:
        groups = {group.id: group for group in desired.target_groups}
        write = self._files.write
        await write([(self._eds(group.id), [endpoints(group)]) for group in desired.target_groups])
        # Clusters that go may still have routes: they are kept until the routes are gone.
        clusters = {group.id: self._cluster(group) for group in desired.target_groups}
        leaving = {name: value for name, value in self._written_clusters().items() if name not in clusters}
        await write([(self._cds(), _ordered({**clusters, **leaving}))])
        routes = [each for socket in desired.sockets for each in route_configurations(socket, groups)]
        unseen = await write([(self._rds(each["name"]), [each]) for each in routes])
        await write([(self._lds(), [listener(socket, self.folder) for socket in desired.sockets])])
        if unseen:
            await self._listening()
            await self._files.confirm(unseen)
        if leaving:
            await write([(self._cds(), _ordered(clusters))])
        self.claims.release({socket.port for socket in desired.sockets})
        self._sweep("endpoints", set(clusters))
        self._sweep("routes", {each["name"] for each in routes})

    async def _listening(self) -> None:
        """Wait for new listeners: they open when they have their routes."""
        path = "/stats?format=json&filter=^listener_manager.total_listeners_warming$"
        for _ in range(500):
            answer = await self.admin.get(path)
            if answer["stats"][0]["value"] == 0:
                return
            await asyncio.sleep(0.005)

    def _cluster(self, group: TargetGroup) -> dict[str, Any]:
        return cluster(group, self._eds(group.id).path, self.folder / "health.log")

    def _written_clusters(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self._files.resources(self._cds())}

    def _cds(self) -> ConfigFile:
        return ConfigFile(self.folder / "cds.json", "cluster_manager.cds")

    def _lds(self) -> ConfigFile:
        return ConfigFile(self.folder / "lds.json", "listener_manager.lds")

    def _rds(self, name: str) -> ConfigFile:
        return ConfigFile(routes_file(self.folder, name), f"http.{name}.rds.{name}")

    def _eds(self, group: str) -> ConfigFile:
        return ConfigFile(self.folder / "endpoints" / f"{group}.json", f"cluster.{group}")

    def _sweep(self, kind: str, wanted: set[str]) -> None:
        for path in (self.folder / kind).glob("*.json"):
            if path.stem not in wanted:
                self._files.remove(path)


def _ordered(clusters: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [clusters[name] for name in sorted(clusters)]
