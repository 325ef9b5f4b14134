"""Runs executions: starts them, resumes them after a restart, hands them stop requests."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from homeport.engine.durable.clock import Clock
from homeport.engine.durable.ending import end
from homeport.engine.durable.execution import Execution, ExecutionKind
from homeport.engine.durable.failpoints import Failpoints
from homeport.engine.durable.signals import Signals
from homeport.engine.store.database import Scope, Store

log = logging.getLogger(__name__)

_ROW = "kind = ? AND account = ? AND region = ? AND id = ?"


class Runner:
    """All executions of one engine. `context(service, scope)` makes the Context that an execution acts in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        signals: Signals,
        failpoints: Failpoints,
        context: Callable[[str, Scope], Any],
    ) -> None:
        self.store = store
        self.clock = clock
        self.signals = signals
        self.failpoints = failpoints
        self.context = context
        self._kinds: dict[str, ExecutionKind] = {}
        self._tasks: dict[tuple[str, Scope, str], asyncio.Task[None]] = {}
        self._open = False

    def resume(self, kinds: Iterable[ExecutionKind]) -> None:
        """Learn the kinds and go on with every execution that the last process left."""
        self._kinds = {kind.name: kind for kind in kinds}
        self._open = True
        for row in self.store.execute("SELECT * FROM durable_executions"):
            kind = self._kinds[row["kind"]]
            self._spawn(kind, Scope(row["account"], row["region"]), row["id"], json.loads(row["input"]))

    def start(self, kind: ExecutionKind, scope: Scope, id: str, input: Any) -> None:
        """Accept an execution: its row commits with the running transaction, and then it runs. Starting one
        that runs already changes nothing."""
        added = self.store.changes(
            "INSERT OR IGNORE INTO durable_executions VALUES (?, ?, ?, ?, ?, NULL)",
            kind.name,
            *scope,
            id,
            json.dumps(input, separators=(",", ":")),
        )
        if added:
            self.store.after_commit(lambda: self._spawn(kind, scope, id, input))

    def request_stop(self, kind: ExecutionKind, scope: Scope, id: str, reason: str) -> bool:
        """Ask a running execution to stop; False when none of this id runs. The first reason stays."""
        row = (kind.name, *scope, id)
        asked = self.store.changes(
            f"UPDATE durable_executions SET stop_reason = coalesce(stop_reason, ?) WHERE {_ROW}", reason, *row
        )
        self.store.after_commit(lambda: self.signals.notify("durable.stop:" + "/".join(row)))
        return asked > 0

    def running(self, kind: ExecutionKind, scope: Scope, id: str) -> bool:
        """Whether the execution was accepted and has not ended."""
        row = (kind.name, *scope, id)
        return bool(self.store.execute(f"SELECT 1 FROM durable_executions WHERE {_ROW}", *row))

    def _spawn(self, kind: ExecutionKind, scope: Scope, id: str, input: Any) -> None:
        if self._open:
            task = asyncio.get_running_loop().create_task(
                self._run(kind, scope, id, input), name=f"{kind.name} {id}"
            )
            self._tasks[kind.name, scope, id] = task

    async def _run(self, kind: ExecutionKind, scope: Scope, id: str, input: Any) -> None:
        execution = Execution(self, kind, scope, id, input)
        try:
            try:
                await kind.run(execution)
            except Exception as error:
                log.debug("%s %s failed", kind.name, id, exc_info=True)
                await kind.failed(execution, error)
        except Exception:
            log.exception(
                "%s %s could not record its failure; it is tried again at the next start", kind.name, id
            )
        else:
            self._forget(kind, scope, id)
        finally:
            self._tasks.pop((kind.name, scope, id), None)

    def _forget(self, kind: ExecutionKind, scope: Scope, id: str) -> None:
        row = (kind.name, *scope, id)
        with self.store.transaction():
            self.store.execute(f"DELETE FROM durable_executions WHERE {_ROW}", *row)
            self.store.execute(f"DELETE FROM durable_steps WHERE {_ROW}", *row)
        self.signals.notify("durable.end:" + "/".join(row))

    async def close(self) -> None:
        """Release all executions: they go on at the next start."""
        self._open = False
        await end(self._tasks.values())
