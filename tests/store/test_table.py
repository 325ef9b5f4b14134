"""Tables of JSON bodies, and the migrations that make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.engine.store.database import NewerData, Place, Scope, Store
from homeport.engine.store.table import Table

HERE, THERE = Scope("123456789012", "us-east-1"), Scope("123456789012", "eu-west-1")
CARS = Table("test_cars", key=("brand", "model"), columns=("color",))
DDL = """CREATE TABLE test_cars (account TEXT NOT NULL, region TEXT NOT NULL, brand TEXT NOT NULL, model TEXT NOT NULL,
color TEXT, body TEXT NOT NULL, PRIMARY KEY (account, region, brand, model)) WITHOUT ROWID;"""


@pytest.fixture
def here() -> Place:
    store = Store(":memory:")
    store.execute(DDL)
    return Place(store, HERE)


def test_bodies_come_back_under_their_keys_and_scopes(here: Place) -> None:
    CARS.put(here, {"brand": "a", "model": "1", "color": "red", "doors": 4})

    assert CARS.get(here, "a", "1") == {"brand": "a", "model": "1", "color": "red", "doors": 4}
    assert CARS.get(Place(here.store, THERE), "a", "1") is None


def test_lists_are_ordered_filtered_and_paged(here: Place) -> None:
    for brand, model, color in (("b", "1", "red"), ("a", "2", "red"), ("a", "1", "blue")):
        CARS.put(here, {"brand": brand, "model": model, "color": color})

    def names(**how: object) -> list[str]:
        return [body["brand"] + body["model"] for body in CARS.list(here, **how)]  # type: ignore[arg-type]

    assert names() == ["a1", "a2", "b1"]
    assert names(color="red") == ["a2", "b1"]
    assert names(after=("a", "1"), limit=1) == ["a2"]
    assert [body["model"] for body in CARS.list(here, "a")] == ["1", "2"]


def test_what_is_taken_is_gone(here: Place) -> None:
    CARS.put(here, {"brand": "a", "model": "1", "doors": 4})

    assert CARS.take(here, "a", "1") == {"brand": "a", "model": "1", "doors": 4}
    assert CARS.take(here, "a", "1") is None


def test_a_failed_transaction_leaves_nothing(here: Place) -> None:
    woken: list[str] = []
    with pytest.raises(ZeroDivisionError), here.store.transaction():
        CARS.put(here, {"brand": "a", "model": "1"})
        here.store.after_commit(lambda: woken.append("too early"))
        raise ZeroDivisionError

    assert CARS.list(here) == []
    assert woken == []


def test_data_of_a_newer_homeport_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_cars.sql").write_text(DDL)
    (folder / "0002_more.sql").write_text("CREATE TABLE more (a);")
    store = Store(tmp_path / "db")
    store.migrate([("test", folder)])
    (folder / "0002_more.sql").unlink()

    with pytest.raises(NewerData, match=r"test/0002_more\.sql"):
        store.migrate([("test", folder)])


def test_rows_are_found_by_an_index_although_the_primary_key_begins_as_it_does(tmp_path):
    (tmp_path / "0001_runs.sql").write_text(
        "CREATE TABLE runs (account TEXT, region TEXT, pipeline TEXT, number INTEGER, id TEXT, body TEXT,"
        " PRIMARY KEY (account, region, pipeline, number)) WITHOUT ROWID;\n"
        "CREATE INDEX runs_by_id ON runs (account, region, pipeline, id);\n"
    )
    store = Store(":memory:")
    for _ in range(2):  # the second time nothing is to be migrated
        store.migrate([("runs", tmp_path)])
        where = "account = 'a' AND region = 'r' AND pipeline = 'p'"
        by_id = (
            f"EXPLAIN QUERY PLAN SELECT body FROM runs WHERE {where} AND id = 'x' ORDER BY pipeline, number"
        )
        assert "runs_by_id" in store.execute(by_id)[0]["detail"]
        newest = f"EXPLAIN QUERY PLAN SELECT body FROM runs WHERE {where} ORDER BY pipeline DESC, number DESC"
        assert [row["detail"] for row in store.execute(newest)] == [
            "SEARCH runs USING PRIMARY KEY (account=? AND region=? AND pipeline=?)"
        ]
