"""Which versions and parts hold which blobs; a blob that nothing holds any more is deleted. Large blobs are files,
small ones rows of s3_small.

Whoever writes a blob holds it in the same turn of the event loop, so no blob is deleted between the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from homeport.engine.services.engine import Engine
from homeport.engine.store.database import Store


def hold(store: Store, holder: str, blobs: Iterable[str]) -> None:
    """Keep these blobs as long as the holder exists."""
    for digest in blobs:
        store.execute("INSERT OR IGNORE INTO s3_references VALUES (?, ?)", holder, digest)


def hold_small(store: Store, digest: str, data: bytes) -> None:
    """Keep the bytes of a small blob that is held in the same transaction."""
    store.execute("INSERT OR IGNORE INTO s3_small VALUES (?, ?)", digest, data)


class Readers:
    """Which blobs are being read: those stay until they have been, also when nothing holds them any more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading: Counter[str] = Counter()

    @contextmanager
    def reading(self, digests: list[str]) -> Iterator[None]:
        """While these are read."""
        self._reading.update(digests)
        try:
            yield
        finally:
            self._reading.subtract(digests)
            done = {digest for digest in digests if not self._reading[digest]}
            for digest in done:
                del self._reading[digest]
            self.collect(done)

    def collect(self, digests: Iterable[str]) -> None:
        """Delete those files that nobody holds or reads."""
        for digest in digests:
            if digest not in self._reading and not _is_held(self._engine.store, digest):
                self._engine.blobs.remove(digest)


def release(engine: Engine, holder: str) -> None:
    """The holder is gone: delete what only it held, once the running transaction has committed."""
    store = engine.store
    rows = store.execute("DELETE FROM s3_references WHERE holder = ? RETURNING blob", holder)
    digests = [row["blob"] for row in rows]
    for digest in digests:
        if not _is_held(store, digest):
            store.execute("DELETE FROM s3_small WHERE blob = ?", digest)
    if digests:
        store.after_commit(lambda: engine.part(Readers).collect(digests))


def _is_held(store: Store, digest: str) -> bool:
    return bool(store.execute("SELECT 1 FROM s3_references WHERE blob = ? LIMIT 1", digest))


async def sweep(engine: Engine) -> None:
    """Delete the blobs that a killed engine had written or released, but not recorded or deleted."""
    held = {row["blob"] for row in engine.store.execute("SELECT DISTINCT blob FROM s3_references")}
    for digest in list(engine.blobs.digests()):
        if digest not in held:
            engine.blobs.remove(digest)
