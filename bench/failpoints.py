"""Kills at failpoints, many of them in one piece of work: at each death the engine starts again with the next one
armed."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from homeport.pytest_plugin import RunningEngine

WHEN = ("before", "done", "committed")
AT_ONCE = 18
"""Kills in one piece of work."""


class Kills:
    """The failpoints at which an engine is still to be killed, and those at which it was:

    kills.start()
    … begin the work …
    while kills.died(has_ended, seconds):
        kills.start()
    deaths = kills.finish()
    """

    def __init__(self, engine: RunningEngine, points: Iterable[str]) -> None:
        self.pending = deque(points)
        self.killed: list[str] = []
        self.missed: list[str] = []
        self._engine = engine
        self._deaths: list[str] = []

    def start(self) -> None:
        """Start the engine anew with the next failpoint armed."""
        point = self.pending[0] if self.pending and len(self._deaths) < AT_ONCE else ""
        self._engine.stop()
        try:
            self._engine.start(HOMEPORT_FAIL_AT=point)
        except RuntimeError:
            if self._engine.alive or not point:
                raise  # it was not the failpoint that ended it

    def died(self, has_ended: Callable[[], bool], seconds: float) -> bool:
        """Wait until the engine has died (True) or the work has ended. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self._engine.alive:
            if has_ended():
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(f"after deaths at {self._deaths} it did not end in {seconds:.0f} s")
            time.sleep(0.02)
        self._deaths.append(self.pending.popleft())
        return True

    def finish(self) -> list[str]:
        """The failpoints at which the engine died in this work. When there were none, the one that was armed is missed:
        other work, or none, reaches it."""
        deaths, self._deaths = self._deaths, []
        self.killed += deaths
        if not deaths:
            self.missed.append(self.pending.popleft())
        return deaths


@contextmanager
def watched(database: Path, kinds: tuple[str, ...]) -> Iterator[list[str]]:
    """The failpoints of the durable steps that are recorded meanwhile, in the order of their records."""
    found: list[str] = []
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE watched (kind TEXT, step TEXT, UNIQUE (kind, step))")
        connection.execute(
            "CREATE TRIGGER watch AFTER INSERT ON durable_steps BEGIN "
            "INSERT OR IGNORE INTO watched VALUES (new.kind, new.step); END"
        )
        yield found
        connection.execute("DROP TRIGGER watch")
        steps = connection.execute("SELECT kind, step FROM watched ORDER BY rowid").fetchall()
        connection.execute("DROP TABLE watched")
    found += [f"{kind}.{step}.{when}" for kind, step in steps if kind.startswith(kinds) for when in WHEN]
