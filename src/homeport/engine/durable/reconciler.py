"""Reconcilers: durable work without an end. Desired state is in rows, observed state outside; each key is looked
at when it is woken, and again after the time that the last look asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from homeport.engine.durable.clock import Clock
from homeport.engine.durable.ending import end
from homeport.engine.store.database import Scope

log = logging.getLogger(__name__)

RETRY_AFTER = 5.0
"""Seconds until a key whose reconciliation failed by a bug or an outage is looked at again."""

Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`name` is `service.noun`. `keys(engine)` lists what exists when the engine starts; `reconcile(ctx, key)`
    brings one nearer to what is desired and returns the seconds until the next look, or None for "when woken".
    It must be safe to run again from the top after a kill."""

    name: str
    keys: Callable[[Any], Iterable[Key]]
    reconcile: Callable[[Any, str], Awaitable[float | None]]

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


class ReconcileLoop:
    """Runs one reconciler: keys concurrently, each key never twice at the same time."""

    def __init__(self, reconciler: Reconciler, clock: Clock, context: Callable[[str, Scope], Any]) -> None:
        self._reconciler = reconciler
        self._clock = clock
        self._context = context
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._again: set[Key] = set()
        self._open = False

    def start(self, engine: Any) -> None:
        """Look at every key that exists."""
        self._open = True
        for scope, key in self._reconciler.keys(engine):
            self.wake(scope, key)

    def wake(self, scope: Scope, key: str) -> None:
        """Look at the key now; when it is being looked at, once more afterwards."""
        if not self._open:
            return
        item = (scope, key)
        if item in self._running:
            self._again.add(item)
            return
        if timer := self._timers.pop(item, None):
            timer.cancel()
        name = f"{self._reconciler.name} {key}"
        self._running[item] = asyncio.get_running_loop().create_task(self._look(item), name=name)

    async def _look(self, item: Key) -> None:
        scope, key = item
        after: float | None = RETRY_AFTER
        try:
            after = await self._reconciler.reconcile(self._context(self._reconciler.service, scope), key)
        except Exception:
            log.exception("%s %s failed; it is tried again in %g s", self._reconciler.name, key, RETRY_AFTER)
        finally:
            self._running.pop(item, None)
        if item in self._again:
            self._again.discard(item)
            self.wake(scope, key)
        elif after is not None and self._open:
            delay = self._clock.real(after)
            self._timers[item] = asyncio.get_running_loop().call_later(delay, self.wake, scope, key)

    async def close(self) -> None:
        """Stop looking. What was begun is cancelled and begun again at the next start."""
        self._open = False
        for timer in self._timers.values():
            timer.cancel()
        await end(self._running.values())
        self._timers.clear()
        self._running.clear()
        self._again.clear()
