"""The store: one SQLite file (WAL) with one writer, the engine's event loop.

Calls are synchronous: a statement takes microseconds, so a thread hand-over would cost more than it saves. A
transaction therefore never contains an `await`, and two of them never interleave.

What has committed is with the operating system: killing the engine loses none of it. `keep` brings it to the disk
within a second, for all writers together, so that a power cut loses at most that second, and never half a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from homeport.engine.store import statistics
from homeport.engine.store.transactions import Transaction, Transactions


class Scope(NamedTuple):
    """The account and region that a row belongs to; global services use the region `aws-global`."""

    account: str
    region: str


class At(Protocol):
    """Anything that says in which store and scope a row lies: a Context, or a Place."""

    @property
    def store(self) -> Store: ...

    @property
    def scope(self) -> Scope: ...


class Place(NamedTuple):
    """A store and a scope, for code that has no Context."""

    store: Store
    scope: Scope


class NewerData(Exception):
    """The data folder was written by a newer homeport than this one."""


_SYNC_SECONDS = 1.0
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "cache_size=-8000",
    "wal_autocheckpoint=4000",
)


class Store:
    """The open database of one data folder; `Store(":memory:")` keeps nothing."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self.transactions = Transactions(self._connection)
        self._log = Path(f"{path}-wal")
        for pragma in _PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}").fetchall()

    async def keep(self) -> None:
        """Sync what was committed to the disk, again and again."""
        synced = -1
        while True:
            await asyncio.sleep(_SYNC_SECONDS)
            if (changes := self._connection.total_changes) != synced:
                await asyncio.to_thread(_sync, self._log)
                synced = changes

    def execute(self, sql: str, *parameters: Any) -> list[sqlite3.Row]:
        """Run one statement and return all its rows. Outside a transaction it commits by itself."""
        rows = self._connection.execute(sql, parameters).fetchall()
        self.transactions.statement(sql)
        return rows

    def changes(self, sql: str, *parameters: Any) -> int:
        """Run one statement that writes and return how many rows it changed."""
        count = self._connection.execute(sql, parameters).rowcount
        self.transactions.statement(sql)
        return count

    def transaction(self, together: bool = False) -> Transaction:
        """Everything written inside commits together, or not at all. May be nested: the outermost commits. With
        `together` it shares a commit with others of this turn of the event loop: for what is called in great numbers,
        by operations only: their answers wait until it has committed."""
        return self.transactions.together if together else self.transactions.alone

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call when the running transaction has committed (at once when there is none): wake-ups go here, so
        that nobody is woken to look at rows that are not there yet."""
        self.transactions.after_commit(call)

    def migrate(self, owners: Sequence[tuple[str, Path]]) -> None:
        """Apply each owner's numbered migrations (`0001_noun.sql`) that this file has not seen yet.

        Raises NewerData when the file has migrations that this homeport does not know.
        """
        self.execute(
            "CREATE TABLE IF NOT EXISTS store_migrations (owner TEXT, name TEXT, PRIMARY KEY (owner, name))"
        )
        applied = {(row["owner"], row["name"]) for row in self.execute("SELECT * FROM store_migrations")}
        known = [(owner, file) for owner, folder in owners for file in sorted(folder.glob("*.sql"))]
        unknown = applied - {(owner, file.name) for owner, file in known}
        if unknown:
            owner, name = sorted(unknown)[-1]
            raise NewerData(f"it holds the migration {owner}/{name}, which this homeport does not know")
        for owner, file in known:
            if (owner, file.name) not in applied:
                with self.transaction():
                    for statement in _statements(file.read_text()):
                        self.execute(statement)
                    self.execute("INSERT INTO store_migrations VALUES (?, ?)", owner, file.name)
        with self.transaction():
            statistics.write(self)

    def clear(self) -> None:
        """Delete every row but the migrations' own and the engine's settings."""
        with self.transaction():
            for row in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
                kept = row["name"].startswith("sqlite_") or row["name"] in KEPT_BY_RESET
                if not kept:
                    self.execute(f'DELETE FROM "{row["name"]}"')

    def close(self) -> None:
        """Write the log back into the database file and close it."""
        self.transactions.commit_group()
        self._connection.close()


KEPT_BY_RESET = ("store_migrations", "engine_settings")


def _sync(file: Path) -> None:
    with contextlib.suppress(FileNotFoundError), file.open("rb") as log:
        os.fsync(log.fileno())


def _statements(script: str) -> Iterator[str]:
    """The statements of a migration, one by one: `executescript` would commit each on its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a migration ends in the middle of a statement: {statement.strip()[:80]}")
