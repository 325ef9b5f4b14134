"""Content-addressed files: S3 objects and image layers.

<data>/blobs/
  tmp/<random>              being written; emptied when the engine starts
  sha256/<2 hex>/<64 hex>   complete; its name is the digest of its bytes
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from homeport.engine.store.files import write_all

READ_SIZE = 1024 * 1024
_HOP = 1024 * 1024  # below this, a write or a read costs less than the hop to a thread


class Blob(NamedTuple):
    """A stored blob: `digest` is `sha256:<hex>`, `size` is in bytes, `md5` in hex (S3's ETag)."""

    digest: str
    size: int
    md5: str


class Blobs:
    """The blobs of one data folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / "tmp"
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)

    async def write(self, chunks: AsyncIterator[bytes]) -> Blob:
        """Store the bytes under their digest: temporary file, fsync, rename. Nothing is left behind when the
        iterator raises."""
        temporary = self._temporary / secrets.token_hex(16)
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        try:
            with temporary.open("wb", buffering=0) as file:
                async for chunk in chunks:
                    sha256.update(chunk)
                    md5.update(chunk)
                    size += len(chunk)
                    write_all(file, chunk)
                await _sync(file, size)
            blob = Blob(f"sha256:{sha256.hexdigest()}", size, md5.hexdigest())
            self.adopt(temporary, blob.digest)
            return blob
        finally:
            temporary.unlink(missing_ok=True)

    def adopt(self, file: Path, digest: str) -> None:
        """Move a complete, fsync'd file of this file system to the place of its digest."""
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def path(self, digest: str) -> Path:
        """Where the blob of this digest lies. Raises ValueError for anything but `sha256:<64 hex digits>`."""
        algorithm, _, value = digest.partition(":")
        if algorithm != "sha256" or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
            raise ValueError(f"not a sha256 digest: {digest!r}")
        return self._root / algorithm / value[:2] / value

    def exists(self, digest: str) -> bool:
        """Whether the blob is stored completely."""
        return self.path(digest).is_file()

    def size(self, digest: str) -> int:
        """Its size in bytes. Raises FileNotFoundError."""
        return self.path(digest).stat().st_size

    async def read(self, digest: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from `start` up to, not including, `end`. Raises FileNotFoundError."""
        with self.path(digest).open("rb", buffering=0) as file:
            file.seek(start)
            left = (end - start) if end is not None else None
            while left is None or left > 0:
                want = READ_SIZE if left is None else min(READ_SIZE, left)
                chunk = file.read(want)
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk

    def remove(self, digest: str) -> None:
        """Delete the blob, if it is there. Only for who knows that nothing refers to it."""
        self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """The digests of all complete blobs."""
        for file in self._root.glob("sha256/??/*"):
            yield f"sha256:{file.name}"

    def clear(self) -> None:
        """Delete all blobs."""
        shutil.rmtree(self._root / "sha256", ignore_errors=True)


async def _sync(file: FileIO, size: int) -> None:
    if size < _HOP:
        os.fsync(file.fileno())
    else:
        await asyncio.to_thread(os.fsync, file.fileno())
