"""The transactions of a store, one after another.

Most commit by themselves. Those that are made `together` share one commit at the end of the event loop's turn, for it
is the commit that costs: a hundred calls at once pay for it once. Until then nobody may be told of them, nor of what
was read meanwhile: `committed` waits.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable


class Transactions:
    """At most one is open, and behind it those that wait for their common commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._depth = 0
        self._waiting: list[asyncio.Future[None]] | None = None
        """Who is answered after the common commit; None when there is none to come."""
        self._after_commit: list[Callable[[], None]] = []
        self._kept = 0
        self.alone = Transaction(self, together=False)
        self.together = Transaction(self, together=True)

    def begin(self) -> None:
        """Open one, or go deeper into the open one."""
        if not self._depth:
            self._connection.execute("BEGIN IMMEDIATE" if self._waiting is None else "SAVEPOINT one")
            self._kept = len(self._after_commit)
        self._depth += 1

    def end(self, failed: bool, together: bool) -> None:
        """Leave it; the outermost commits, or with `together` sees to it that it will be."""
        self._depth -= 1
        if self._depth:
            return
        if failed:
            del self._after_commit[self._kept :]
            self._connection.execute("ROLLBACK" if self._waiting is None else "ROLLBACK TO one")
        if self._waiting is not None:
            self._connection.execute("RELEASE one")
        elif together and not failed:
            self._waiting = []
            asyncio.get_running_loop().call_soon(self.commit_group)
        if not together and not failed:
            self._commit()

    def statement(self, sql: str) -> None:
        """A statement outside of transactions has run: it commits by itself, also what waited."""
        if self._waiting is not None and not self._depth and not sql.startswith("SELECT"):
            self._commit()

    def commit_group(self) -> None:
        """Commit those that wait, if any still do."""
        if self._waiting is not None:
            self._commit()

    async def committed(self) -> None:
        """Wait until all that can be read has committed. Raises sqlite3.Error when it could not be."""
        if self._waiting is not None:
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call when all that can be read has committed: at once when it has."""
        if self._depth or self._waiting is not None:
            self._after_commit.append(call)
        else:
            call()

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        calls, self._after_commit = self._after_commit, []
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_exception(error)
            raise
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        for call in calls:
            call()


class Transaction:
    """`with`: everything written inside commits together, or not at all."""

    def __init__(self, transactions: Transactions, together: bool) -> None:
        self._transactions = transactions
        self._together = together

    def __enter__(self) -> None:
        self._transactions.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._transactions.end(failed=kind is not None, together=self._together)
