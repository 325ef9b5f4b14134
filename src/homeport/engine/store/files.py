"""Writing to files as they are, without a buffer in between."""

from __future__ import annotations

from io import RawIOBase
from typing import IO


def write_all(file: RawIOBase | IO[bytes], data: bytes) -> None:
    """Write all bytes. The system takes fewer than it is given when the disk is nearly full, and only says so the next
    time. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
