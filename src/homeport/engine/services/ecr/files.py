"""The files of the registry. Rows say what belongs to whom; files only hold bytes.

    <data>/ecr/
      uploads/<upload id>            what has arrived of an upload; its length is how much
      sha256/<2 hex>/<64 hex>        complete layers and configs, verified, shared by all repositories
      tmp/                           (of the blob store; unused here: an upload is its own temporary file)

They are apart from S3's blobs, so that "no row of the registry names it" is enough to delete a file.
A file without a row is harmless: it is the trace of a kill between the two, and the collector sweeps it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple
from weakref import WeakValueDictionary

from homeport.engine.store.blobs import Blobs

PART = 1024 * 1024
"""Bytes that are gathered before a thread hashes and writes them."""


class Received(NamedTuple):
    """The running digest of an upload's first `size` bytes."""

    hash: Any
    size: int


class LayerFiles:
    """The layer and upload files of one data folder."""

    def __init__(self, data: Path) -> None:
        self._root = data / "ecr"
        self.blobs = Blobs(self._root)
        self._uploads = self._root / "uploads"
        self._uploads.mkdir(exist_ok=True)
        self._received: dict[str, Received] = {}
        self._alone: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, upload_id: str) -> asyncio.Lock:
        """Held by whoever writes to the upload or completes it: between its digest and its end as a layer,
        nothing may be appended."""
        return self._alone.setdefault(upload_id, asyncio.Lock())

    def begin(self, upload_id: str) -> None:
        """Make the empty file of a new upload."""
        self._upload(upload_id).touch(exist_ok=False)

    def size(self, upload_id: str) -> int:
        """How many bytes of the upload have arrived. Raises FileNotFoundError."""
        return self._upload(upload_id).stat().st_size

    async def append(self, upload_id: str, chunks: AsyncIterator[bytes]) -> int:
        """Add the bytes at the end of the upload and return its new size. What arrived before the iterator
        raised stays: the client asks how far it came and goes on from there."""
        with self._upload(upload_id).open("ab", buffering=0) as file:
            size = file.tell()
            received = self._received.pop(upload_id, None)
            if received is None and size == 0:
                received = Received(hashlib.sha256(), 0)
            writer = _Writer(file, received.hash if received and received.size == size else None)
            try:
                async for chunk in chunks:
                    await writer.write(chunk)
            finally:
                size += await writer.flush()
                if writer.hash is not None:
                    self._received[upload_id] = Received(writer.hash, size)
        return size

    async def digest(self, upload_id: str, algorithm: str) -> str:
        """The digest of all bytes of the upload, read again where it was not computed as they came."""
        received = self._received.get(upload_id)
        if algorithm == "sha256" and received and received.size == self.size(upload_id):
            return f"sha256:{received.hash.hexdigest()}"
        return await asyncio.to_thread(_digest, self._upload(upload_id), algorithm)

    async def sync(self, upload_id: str) -> None:
        """Have the upload's bytes on the disk itself."""
        await asyncio.to_thread(_sync, self._upload(upload_id))

    def adopt(self, upload_id: str, content: str) -> None:
        """Make the synced upload the file of the layer `content`."""
        self._received.pop(upload_id, None)
        self.blobs.adopt(self._upload(upload_id), content)

    def abandon(self, upload_id: str) -> None:
        """Delete what has arrived of an upload."""
        self._received.pop(upload_id, None)
        self._upload(upload_id).unlink(missing_ok=True)

    def uploads(self) -> list[str]:
        """The ids of all upload files."""
        return [file.name for file in self._uploads.iterdir()]

    def contents(self) -> Iterator[tuple[str, Path]]:
        """The digest and file of every complete layer."""
        for file in (self._root / "sha256").glob("??/*"):
            yield f"sha256:{file.name}", file

    def clear(self) -> None:
        """Delete everything."""
        for upload_id in self.uploads():
            self.abandon(upload_id)
        self.blobs.clear()

    def _upload(self, upload_id: str) -> Path:
        return self._uploads / upload_id


class _Writer:
    """Hashes and writes in a thread what was gathered, while the next bytes arrive: two parts are in memory."""

    def __init__(self, file: IO[bytes], hash: Any) -> None:
        self.hash = hash
        self._file = file
        self._parts: list[bytes] = []
        self._gathered = 0
        self._written = 0
        self._running: asyncio.Future[None] | None = None

    async def write(self, chunk: bytes) -> None:
        self._parts.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= PART:
            await self._hand_over()

    async def flush(self) -> int:
        """Wait until all is written; returns how many bytes that were."""
        await self._hand_over()
        if self._running is not None:
            await self._running
        return self._written

    async def _hand_over(self) -> None:
        if self._running is not None:
            await self._running
            self._running = None
        if self._parts:
            parts, self._parts = self._parts, []
            self._written += self._gathered
            self._gathered = 0
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(None, self._store, parts)

    def _store(self, parts: list[bytes]) -> None:
        for part in parts:
            if self.hash is not None:
                self.hash.update(part)
            data = memoryview(part)
            while data:
                data = data[self._file.write(data) :]


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as content:
        return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
