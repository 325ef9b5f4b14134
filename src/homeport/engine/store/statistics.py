"""What SQLite's planner is told of the tables: that they are large, that most rows are of one account and region, and
that an index is worth its while. Knowing nothing, it prefers a primary key that begins as the index does, and reads all
rows of a scope.

https://www.sqlite.org/fileformat2.html#the_sqlite_stat1_table
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from homeport.engine.store.database import Store

_ROWS = 1_000_000
_FOUND = 10
"""Rows that all columns of an index lead to."""
_SCOPE = ("account", "region")


def write(store: Store) -> None:
    """Write the statistics of every table as if it were full. Call inside a transaction."""
    store.execute("ANALYZE")  # makes the table sqlite_stat1
    store.execute("DELETE FROM sqlite_stat1")
    for table in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        indexes = store.execute("SELECT name, origin FROM pragma_index_list(?)", table["name"])
        columns = {row["name"]: _columns(store, row["name"]) for row in indexes}
        key = next((columns[row["name"]] for row in indexes if row["origin"] == "pk"), [])
        for row in indexes:
            is_key = row["origin"] == "pk"
            numbers = _of_key(key) if is_key else _of_index(columns[row["name"]], key)
            store.execute(
                "INSERT INTO sqlite_stat1 VALUES (?, ?, ?)",
                table["name"],
                table["name"] if is_key else row["name"],
                " ".join(map(str, (_ROWS, *numbers))),
            )
    store.execute("ANALYZE sqlite_schema")  # has the planner read them


def _columns(store: Store, index: str) -> list[str]:
    return [row["name"] for row in store.execute("SELECT name FROM pragma_index_info(?)", index)]


def _of_key(key: Sequence[str]) -> list[int]:
    """For each column of the primary key, how many rows share its value and those of the columns before it."""
    numbers: list[int] = []
    for column in key:
        last = numbers[-1] if numbers else _ROWS
        numbers.append(last if column in _SCOPE else max(last // 10, 2))
    return [*numbers[:-1], 1]


def _of_index(columns: Sequence[str], key: Sequence[str]) -> list[int]:
    """The same for an index: as the primary key as far as it begins so, then fewer from column to column."""
    begins = 0
    while begins < min(len(columns), len(key)) and columns[begins] == key[begins]:
        begins += 1
    numbers = _of_key([*key[:begins], ""])[:begins]
    last, left = numbers[-1] if numbers else _ROWS, len(columns) - begins
    return numbers + [round(last * (_FOUND / last) ** (number / left)) for number in range(1, left + 1)]
