"""Where records are kept: files to which lines are appended, a new one when one is full, the oldest removed.

    <data>/cloudtrail/
      0000000001.jsonl      one JSON record a line, in the order of the calls
      0000000002.jsonl      the file that is written to

A record is handed to the operating system before the call is answered, so that killing the engine loses none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from homeport.engine.services.cloudtrail.records import is_read_only, record
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError

if TYPE_CHECKING:
    from homeport.engine.services.engine import Engine

FOLDER = "cloudtrail"
MAX_FILE = 4 * 1024 * 1024
MAX_FILES = 64
MAX_AGE = 90 * 24 * 3600


class Trail:
    """The trail of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file: BinaryIO | None = None
        self._size = 0

    def observe(self, call: Call, output: dict[str, Any] | None, error: AwsError | None) -> None:
        """Record a call. What services read for themselves is left out: nobody asked for it."""
        if call.principal.type == "Service" and is_read_only(call):
            return
        body = record(call, output, error, self._engine.now())
        line = orjson.dumps(body, default=str, option=orjson.OPT_APPEND_NEWLINE)
        if self._file is None or self._size + len(line) > MAX_FILE:
            self._next_file()
        assert self._file is not None
        self._file.write(line)
        self._size += len(line)

    def positions(self, before: tuple[int, int] | None = None) -> Iterator[tuple[tuple[int, int], bytes]]:
        """The recorded lines, the newest first, each with its position; those before a position if one is given."""
        for path in reversed(self._paths()):
            number = int(path.stem)
            if before and number > before[0]:
                continue
            lines = path.read_bytes().splitlines()
            last = before[1] if before and number == before[0] else len(lines)
            for at in range(last - 1, -1, -1):
                yield (number, at), lines[at]

    def close(self) -> None:
        """Close the file that is written to."""
        if self._file:
            self._file.close()
            self._file = None

    def clear(self) -> None:
        """Forget everything."""
        self.close()
        self._engine.clear_folder(FOLDER)

    def _next_file(self) -> None:
        self.close()
        paths = self._paths()
        newest = paths[-1] if paths else None
        if newest is None or newest.stat().st_size >= MAX_FILE // 2:
            number = int(newest.stem) + 1 if newest else 1
            newest = self._engine.folder(FOLDER) / f"{number:010d}.jsonl"
            paths.append(newest)
        self._file = newest.open("ab", buffering=0)
        self._size = self._file.tell()
        oldest_allowed = self._engine.now() - MAX_AGE
        for path in paths[:-1]:
            if len(paths) - paths.index(path) > MAX_FILES or path.stat().st_mtime < oldest_allowed:
                path.unlink()

    def _paths(self) -> list[Path]:
        return sorted(self._engine.folder(FOLDER).glob("*.jsonl"))
