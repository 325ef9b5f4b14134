"""Executions: durable work with an end (a build, a deployment, a stack operation).

The body of an execution is ordinary code whose effects are named steps. A step's output is recorded in one
transaction with what the step makes visible; after a restart the body runs again from its top, and recorded
steps return their output instead of running. A step that died between its effect and its record runs again:
its effect must be repeatable, by name or by `token`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from homeport.engine.durable.once import forget
from homeport.engine.store.database import Scope

if TYPE_CHECKING:
    from homeport.engine.durable.runner import Runner

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExecutionKind:
    """`name` is `service.noun`. `run` is the body; `failed` brings the visible rows to a failed end state for an
    error that left `run`, `Stopped` among them."""

    name: str
    run: Callable[[Execution], Awaitable[None]]
    failed: Callable[[Execution, Exception], Awaitable[None]]

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]


class Stopped(Exception):
    """The execution was asked to stop; the text is the reason that was given."""


class Execution:
    """One running execution. `ctx` is the Context of its service in its scope."""

    def __init__(self, runner: Runner, kind: ExecutionKind, scope: Scope, id: str, input: Any) -> None:
        self.kind = kind
        self.scope = scope
        self.id = id
        self.input = input
        self.ctx = runner.context(kind.service, scope)
        self._runner = runner
        self._row = (kind.name, *scope, id)
        recorded = runner.store.execute(
            "SELECT step, output FROM durable_steps WHERE kind = ? AND account = ? AND region = ? AND id = ?",
            *self._row,
        )
        self._recorded = {row["step"]: row["output"] for row in recorded}
        self._used: set[str] = set()

    async def step(
        self,
        name: str,
        effect: Callable[[], Awaitable[T]],
        commit: Callable[[T], None] | None = None,
    ) -> T:
        """Run `effect` once and record what it returns (JSON); `commit(output)` writes the visible rows in the
        same transaction. Replayed, it returns the recorded output and runs neither."""
        if name in self._used:
            raise RuntimeError(f"{self.kind.name} has two steps named {name!r}")
        self._used.add(name)
        if name in self._recorded:
            return json.loads(self._recorded[name])
        hit, point = self._runner.failpoints.hit, f"{self.kind.name}.{name}"
        hit(f"{point}.before")
        output = await effect()
        hit(f"{point}.done")
        with self._runner.store.transaction():
            if commit:
                commit(output)
            text = json.dumps(output, separators=(",", ":"))
            self._runner.store.execute(
                "INSERT INTO durable_steps VALUES (?, ?, ?, ?, ?, ?)", *self._row, name, text
            )
            forget(self._runner.store, self.token(name))
        hit(f"{point}.committed")
        return output

    async def record(self, name: str, commit: Callable[[], None]) -> None:
        """A step that only writes rows."""

        async def nothing() -> None:
            return None

        await self.step(name, nothing, lambda _: commit())

    def token(self, name: str) -> str:
        """The idempotency token (32 hex digits) of a step: the same in every replay, unlike any other."""
        return hashlib.sha256("/".join((*self._row, name)).encode()).hexdigest()[:32]

    async def sleep(self, name: str, seconds: float) -> None:
        """Wait that many seconds of the engine's clock, restarts included. Raises Stopped."""
        clock = self._runner.clock

        async def deadline() -> float:
            return clock.now() + seconds

        until = await self.step(name, deadline)
        with self._runner.signals.listen([self.stop_topic]) as heard:
            while (left := until - clock.now()) > 0:
                self.check_stop()
                await heard.wait(clock.real(left))
        self.check_stop()

    async def until(
        self,
        poll: Callable[[], Awaitable[T | None]],
        topics: Iterable[str] = (),
        every: float = 5.0,
        deadline: float | None = None,
    ) -> T:
        """Ask `poll` until it answers something but None: at once, when a topic is notified, and every `every`
        seconds. Raises TimeoutError at `deadline` (engine time), and Stopped when a stop is asked for."""
        clock = self._runner.clock
        with self._runner.signals.listen([*topics, self.stop_topic]) as heard:
            while True:
                self.check_stop()
                if (answer := await poll()) is not None:
                    return answer
                left = every if deadline is None else min(every, deadline - clock.now())
                if left <= 0:
                    raise TimeoutError
                await heard.wait(clock.real(left))

    @property
    def stop_topic(self) -> str:
        """The topic that is notified when a stop is asked for."""
        return "durable.stop:" + "/".join(self._row)

    def stop_reason(self) -> str | None:
        """Why the execution is asked to stop; None when it is not."""
        rows = self._runner.store.execute(
            "SELECT stop_reason FROM durable_executions WHERE kind = ? AND account = ? AND region = ? AND id = ?",
            *self._row,
        )
        return rows[0]["stop_reason"] if rows else None

    def check_stop(self) -> None:
        """Raise Stopped when a stop was asked for."""
        if (reason := self.stop_reason()) is not None:
            raise Stopped(reason)

    async def together(self, *parts: Awaitable[T]) -> list[T]:
        """Run the parts concurrently; when one fails the others are cancelled, and its error is raised."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
