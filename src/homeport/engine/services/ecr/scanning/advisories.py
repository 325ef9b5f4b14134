"""The advisory database: files in OSV form that the user puts into a folder, indexed by package.

<data>/advisories/
  *.json *.zip     an advisory, a list of them, or an archive of advisories (as OSV publishes an ecosystem)
  index.sqlite     made from them; made anew when they change
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

Advisory = dict[str, Any]


class Advisories:
    """The database in a folder, as it was when it was opened."""

    def __init__(self, folder: Path) -> None:
        files = sorted(file for pattern in ("*.json", "*.zip") for file in folder.glob(pattern))
        self.empty = not files
        self.updated_at = max((file.stat().st_mtime for file in files), default=0.0)
        self._index = folder / "index.sqlite"
        if files and _state(self._index) != _print_of(files):
            _build(self._index, files)
        self._database = None if self.empty else sqlite3.connect(f"file:{self._index}?mode=ro", uri=True)

    def find(self, ecosystem: str, name: str) -> Iterator[Advisory]:
        """The advisories that speak of a package, whichever its version."""
        if self._database is not None:
            rows = self._database.execute(
                "SELECT DISTINCT body FROM affected JOIN advisories USING (id) WHERE ecosystem = ? AND name = ?",
                (ecosystem, name),
            )
            for (body,) in rows:
                yield json.loads(body)

    def know(self, ecosystem: str) -> bool:
        """Whether there are advisories for packages of this ecosystem at all."""
        if self._database is None:
            return False
        query = "SELECT 1 FROM affected WHERE ecosystem = ? LIMIT 1"
        return self._database.execute(query, (ecosystem,)).fetchone() is not None

    def close(self) -> None:
        """Close the index."""
        if self._database is not None:
            self._database.close()


def _print_of(files: list[Path]) -> str:
    facts = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _state(index: Path) -> str | None:
    if not index.exists():
        return None
    database = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
    try:
        return database.execute("SELECT print FROM state").fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    finally:
        database.close()


def _build(index: Path, files: list[Path]) -> None:
    temporary = index.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    database = sqlite3.connect(temporary)
    database.executescript(
        """
        CREATE TABLE state (print TEXT);
        CREATE TABLE advisories (id TEXT PRIMARY KEY, body TEXT NOT NULL);
        CREATE TABLE affected (ecosystem TEXT, name TEXT, id TEXT);
        """
    )
    for file in files:
        for advisory in _read(file):
            _add(database, advisory)
    database.execute("CREATE INDEX affected_package ON affected (ecosystem, name)")
    database.execute("INSERT INTO state VALUES (?)", (_print_of(files),))
    database.commit()
    database.close()
    os.replace(temporary, index)


def _add(database: sqlite3.Connection, advisory: Advisory) -> None:
    text = json.dumps(advisory, separators=(",", ":"))
    database.execute("INSERT OR REPLACE INTO advisories VALUES (?, ?)", (advisory["id"], text))
    for affected in advisory.get("affected") or []:
        package = affected.get("package") or {}
        ecosystem = package.get("ecosystem", "").partition(":")[0]
        database.execute(
            "INSERT INTO affected VALUES (?, ?, ?)", (ecosystem, package.get("name"), advisory["id"])
        )


def _read(file: Path) -> Iterator[Advisory]:
    """The advisories of a file; what is none is passed over and logged."""
    try:
        if file.suffix == ".json":
            yield from _advisories(file.name, file.read_bytes())
            return
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield from _advisories(f"{file.name}/{name}", archive.read(name))
    except zipfile.BadZipFile:
        log.warning("advisories: %s is no zip archive", file.name)


def _advisories(name: str, data: bytes) -> Iterator[Advisory]:
    try:
        document = json.loads(data)
    except ValueError:
        log.warning("advisories: %s is not JSON", name)
        return
    for entry in document if isinstance(document, list) else [document]:
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield entry
        else:
            log.warning("advisories: %s has an entry that is not in OSV form", name)
