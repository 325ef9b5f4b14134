"""Transactions that commit together at the end of the event loop's turn, seen from another connection to the file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.engine.store.database import Store


class File:
    """A store with one table of names, and who else reads its file."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.store.execute("CREATE TABLE names (name TEXT PRIMARY KEY)")
        self._reader = sqlite3.connect(path)
        self.told: list[str] = []

    def add(self, name: str, together: bool = True, fails: bool = False) -> None:
        with self.store.transaction(together=together):
            self.store.execute("INSERT INTO names VALUES (?)", name)
            self.store.after_commit(lambda: self.told.append(name))
            if fails:
                raise LookupError(name)

    @property
    def committed(self) -> list[str]:
        return [row[0] for row in self._reader.execute("SELECT name FROM names ORDER BY name")]

    def close(self) -> None:
        self._reader.close()
        self.store.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    file = File(tmp_path / "names.db")
    yield file
    file.close()


async def test_calls_of_one_turn_share_a_commit(file: File) -> None:
    async def call(name: str) -> list[str]:
        file.add(name)
        assert (file.committed, file.told) == ([], [])
        await file.store.transactions.committed()
        return file.committed

    answers = await asyncio.gather(*(call(name) for name in "abc"))
    assert answers == [["a", "b", "c"]] * 3
    assert file.told == ["a", "b", "c"]


async def test_one_that_fails_takes_nothing_of_the_others_with_it(file: File) -> None:
    file.add("a")
    with pytest.raises(LookupError):
        file.add("b", fails=True)
    file.add("c")
    await file.store.transactions.committed()
    assert (file.committed, file.told) == (["a", "c"], ["a", "c"])


async def test_who_has_read_what_waits_is_not_answered_before_it_has_committed(file: File) -> None:
    async def read() -> list[str]:
        file.store.execute("SELECT name FROM names")
        await file.store.transactions.committed()
        return file.committed

    file.add("a")
    assert await read() == ["a"]


@pytest.mark.parametrize("how", ["a transaction", "a statement"])
async def test_what_commits_by_itself_commits_what_waited_too(file: File, how: str) -> None:
    file.add("a")
    if how == "a transaction":
        file.add("b", together=False)
    else:
        file.store.execute("INSERT INTO names VALUES ('b')")
    assert file.committed == ["a", "b"]
    assert file.told[:1] == ["a"]
    file.add("c")
    await file.store.transactions.committed()
    assert file.committed == ["a", "b", "c"]


async def test_a_commit_that_fails_is_told_to_all_who_wait_for_it(file: File) -> None:
    async def call(name: str) -> None:
        file.add(name)
        await file.store.transactions.committed()

    file.store.execute("CREATE TABLE ones (name TEXT REFERENCES names DEFERRABLE INITIALLY DEFERRED)")
    calls = [asyncio.ensure_future(call(name)) for name in "ab"]
    await asyncio.sleep(0)
    with file.store.transaction(together=True):
        file.store.execute("INSERT INTO ones VALUES ('nobody')")
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [sqlite3.IntegrityError] * 2
    assert (file.committed, file.told) == ([], [])
    await call("c")
    assert (file.committed, file.told) == (["c"], ["c"])


async def test_a_transaction_that_commits_with_others_fails_with_them(file: File) -> None:
    file.store.execute("CREATE TABLE ones (name TEXT REFERENCES names DEFERRABLE INITIALLY DEFERRED)")
    with file.store.transaction(together=True):
        file.store.execute("INSERT INTO ones VALUES ('nobody')")
    with pytest.raises(sqlite3.IntegrityError):
        file.add("a", together=False)
    assert (file.committed, file.told) == ([], [])
