"""The files of the registry. Rows say what belongs to whom; files only hold bytes.

    <data>/ecr/
      uploads/<upload id>-<owner>    what has arrived of an upload; its length is how much. There is no row of it:
                                     `owner` is a hash of the registry and the repository
      sha256/<2 hex>/<64 hex>        complete layers and configs, verified, shared by all repositories
      tmp/                           (of the blob store; unused here: an upload is its own temporary file)

They are apart from S3's blobs, so that "no row of the registry names it" is enough to delete a file.
A file without a row is harmless: it is the trace of a kill between the two, and the collector sweeps it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple
from weakref import WeakValueDictionary

from homeport.engine.store.blobs import Blobs
from homeport.engine.store.files import write_all

PART = 1024 * 1024
"""Bytes from which on a thread does the work."""

QUEUE = 8 * PART


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
        self.adopting: Counter[str] = Counter()
        self._received: dict[str, Received] = {}
        self._alone: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, upload: str) -> asyncio.Lock:
        """Held by whoever writes to the upload or completes it: between its digest and its end as a layer,
        nothing may be appended."""
        return self._alone.setdefault(upload, asyncio.Lock())

    def begin(self, upload: str) -> None:
        """Make the empty file of a new upload."""
        self._upload(upload).touch(exist_ok=False)

    def size(self, upload: str) -> int:
        """How many bytes of the upload have arrived. Raises FileNotFoundError."""
        return self._upload(upload).stat().st_size

    async def append(self, upload: str, chunks: AsyncIterator[bytes]) -> int:
        """Add the bytes at the end of the upload and return its new size. What arrived before the iterator
        raised stays: the client asks how far it came and goes on from there."""
        with self._upload(upload).open("ab", buffering=0) as file:
            size = file.tell()
            received = self._received.pop(upload, None)
            if received is None and size == 0:
                received = Received(hashlib.sha256(), 0)
            writer = _Writer(file, received.hash if received and received.size == size else None)
            try:
                async for chunk in chunks:
                    await writer.write(chunk)
            finally:
                size += await writer.flush()
                if writer.hash is not None:
                    self._received[upload] = Received(writer.hash, size)
        return size

    async def digest(self, upload: str, algorithm: str) -> str:
        """The digest of all bytes of the upload, read again where it was not computed as they came."""
        received = self._received.get(upload)
        if algorithm == "sha256" and received and received.size == self.size(upload):
            return f"sha256:{received.hash.hexdigest()}"
        return await asyncio.to_thread(_digest, self._upload(upload), algorithm)

    @asynccontextmanager
    async def adopted(self, upload: str, content: str) -> AsyncIterator[None]:
        """Make the upload the file of the layer `content`, on the disk itself. Inside, the layer gets its row; until
        then nobody sweeps the file."""
        self.adopting[content] += 1
        try:
            await asyncio.to_thread(self._adopt, upload, content)
            self._received.pop(upload, None)
            yield
        finally:
            self.adopting[content] -= 1
            self.adopting += Counter()

    def abandon(self, upload: str) -> None:
        """Delete what has arrived of an upload."""
        self._received.pop(upload, None)
        self._upload(upload).unlink(missing_ok=True)

    def uploads(self) -> list[tuple[str, float]]:
        """All upload files, each with the time of its last change."""
        found = []
        for file in self._uploads.iterdir():
            with suppress(FileNotFoundError):  # it may become a layer meanwhile
                found.append((file.name, file.stat().st_mtime))
        return found

    def contents(self) -> Iterator[tuple[str, Path]]:
        """The digest and file of every complete layer."""
        for file in (self._root / "sha256").glob("??/*"):
            yield f"sha256:{file.name}", file

    def clear(self) -> None:
        """Delete everything."""
        for upload, _ in self.uploads():
            self.abandon(upload)
        self.blobs.clear()

    def _adopt(self, upload: str, content: str) -> None:
        _sync(self._upload(upload))
        self.blobs.adopt(self._upload(upload), content)

    def _upload(self, upload: str) -> Path:
        return self._uploads / upload


class _Writer:
    """Hashes and writes in a thread while further bytes arrive; at most QUEUE bytes wait for it in memory. What is
    small is not worth a thread."""

    def __init__(self, file: IO[bytes], hash: Any) -> None:
        self.hash = hash
        self._file = file
        self._parts: deque[bytes] = deque()
        self._arrived = 0
        self._written = 0
        self._running: asyncio.Future[None] | None = None

    async def write(self, chunk: bytes) -> None:
        self._parts.append(chunk)
        self._arrived += len(chunk)
        waiting = self._arrived - self._written
        if waiting >= PART and (self._running is None or self._running.done()):
            await self._start()
        if waiting >= QUEUE and self._running is not None:
            await self._running

    async def flush(self) -> int:
        """Wait until all is written; returns how many bytes that were."""
        if self._arrived < PART:
            self._store()
        while self._parts or self._running is not None:
            await self._start()
        return self._written

    async def _start(self) -> None:
        """Have a thread store what waits. An error of the last one is raised here."""
        if self._running is not None:
            await self._running
            self._running = None
        if self._parts:
            self._running = asyncio.get_running_loop().run_in_executor(None, self._store)

    def _store(self) -> None:
        while self._parts:
            part = self._parts.popleft()
            if self.hash is not None:
                self.hash.update(part)
            write_all(self._file, part)
            self._written += len(part)


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as content:
        return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
