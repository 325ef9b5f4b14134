"""A table of JSON bodies, keyed by account, region and fields of the body.

The SQL columns carry the names of the body's fields: those of the key, and those by which rows are filtered.
Everything else lives in the body, so that a new AWS field needs no migration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from homeport.engine.store.database import At, Scope, Store

Body = dict[str, Any]
Bodies = list[Body]
ScopedBodies = list[tuple[Scope, Body]]


class Table:
    """`Table("ecs_clusters", key=("clusterName",), columns=("status",))`; its DDL stands in a migration."""

    def __init__(self, name: str, key: Sequence[str], columns: Sequence[str] = ()) -> None:
        self.name = name
        self.key = tuple(key)
        self.columns = tuple(columns)
        fields = [f'"{field}"' for field in (*self.key, *self.columns)]
        marks = ", ".join("?" * (len(fields) + 3))
        where = " AND ".join(["account = ?", "region = ?", *(f'"{field}" = ?' for field in self.key)])
        self._order = ", ".join(f'"{field}"' for field in self.key)
        self._backward = ", ".join(f'"{field}" DESC' for field in self.key)
        self._put = (
            f"INSERT OR REPLACE INTO {name} (account, region, {', '.join(fields)}, body) VALUES ({marks})"
        )
        self._get = f"SELECT body FROM {name} WHERE {where}"
        self._delete = f"DELETE FROM {name} WHERE {where}"

    def get(self, at: At, *key: Any) -> Body | None:
        """The body under this key, or None."""
        rows = at.store.execute(self._get, *at.scope, *key)
        return orjson.loads(rows[0]["body"]) if rows else None

    def put(self, at: At, body: Body) -> None:
        """Insert the body, or replace the one under the same key."""
        values = (body[field] for field in self.key)
        columns = (body.get(field) for field in self.columns)
        text = orjson.dumps(body).decode()
        at.store.execute(self._put, *at.scope, *values, *columns, text)

    def delete(self, at: At, *key: Any) -> bool:
        """Remove the body under this key; False when there was none."""
        return at.store.changes(self._delete, *at.scope, *key) > 0

    def take(self, at: At, *key: Any) -> Body | None:
        """Remove the body under this key and return it; None when there was none."""
        rows = at.store.execute(f"{self._delete} RETURNING body", *at.scope, *key)
        return orjson.loads(rows[0]["body"]) if rows else None

    def list(
        self,
        at: At,
        *prefix: Any,
        after: Sequence[Any] | None = None,
        limit: int | None = None,
        last_first: bool = False,
        **equals: Any,
    ) -> Bodies:
        """Bodies in the order of their keys, or from the last to the first: those whose key starts with `prefix`, comes
        after the key `after`, and whose columns equal the given values."""
        where = ["account = ?", "region = ?"]
        values: list[Any] = [*at.scope]
        for field, value in (*zip(self.key, prefix, strict=False), *equals.items()):
            where.append(f'"{field}" = ?')
            values.append(value)
        if after is not None:
            where.append(f"({self._order}) > ({', '.join('?' * len(after))})")
            values.extend(after)
        order = self._backward if last_first else self._order
        sql = f"SELECT body FROM {self.name} WHERE {' AND '.join(where)} ORDER BY {order}"
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        return [orjson.loads(row["body"]) for row in at.store.execute(sql, *values)]

    def everywhere(self, store: Store, **equals: Any) -> ScopedBodies:
        """Bodies of all accounts and regions, with their scopes."""
        where = "".join(f' AND "{field}" = ?' for field in equals)
        sql = f"SELECT account, region, body FROM {self.name} WHERE 1{where} ORDER BY {self._order}"
        rows = store.execute(sql, *equals.values())
        return [(Scope(row["account"], row["region"]), orjson.loads(row["body"])) for row in rows]
