"""The bytes of objects on their way in and out, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from homeport.engine.services.context import Context
from homeport.engine.services.s3.checksums import Expectation, check_md5
from homeport.engine.services.s3.references import Readers
from homeport.engine.services.s3.versions import Segment
from homeport.engine.store.blobs import Blob

SMALL = 64 * 1024
"""Bytes up to which an object lies in the store and not in a file: it costs no fsync instead of two."""


class Received(NamedTuple):
    """A stored body. A small one is not in a file, but in `data`: who records the blob keeps it."""

    blob: Blob
    checksums: dict[str, str]
    data: bytes | None


async def receive(ctx: Context, request: Mapping[str, Any], small: int = 0) -> Received:
    """Store a request's body, one of at most `small` bytes in memory; what its client says of it is checked."""
    body = request.get("Body") or b""
    expected = Expectation(request, ctx.call.headers if ctx.call else {})
    trailers: Mapping[str, str] = getattr(body, "trailers", {})
    chunks = _iterate(body)
    head = await _head(chunks, small, expected)

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for chunk in chunks:
            expected.update(chunk)
            yield chunk

    data = head if len(head) <= small else None
    known: str | None = getattr(body, "sha256", None)  # of all that has passed, a small body is at its end
    blob = _blob(data, known) if data is not None else await ctx.blobs.write(whole())
    try:
        checksums = expected.check(trailers)
        check_md5(request.get("ContentMD5"), blob.md5)
    except BaseException:
        discard(ctx, blob)
        raise
    return Received(blob, checksums, data)


async def _head(chunks: AsyncIterator[bytes], small: int, expected: Expectation) -> bytes:
    """The first bytes: all of a small body, and otherwise more than `small`."""
    head = b""
    while len(head) <= small:
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        expected.update(chunk)
        head += chunk
    return head


def _blob(data: bytes, sha256: str | None) -> Blob:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Blob(f"sha256:{sha256 or hashlib.sha256(data).hexdigest()}", len(data), md5)


def discard(ctx: Context, blob: Blob) -> None:
    """Forget a blob that was received in vain, unless something else holds the same bytes."""
    if not ctx.store.execute("SELECT 1 FROM s3_references WHERE blob = ? LIMIT 1", blob.digest):
        ctx.blobs.remove(blob.digest)


async def _iterate(body: Any) -> AsyncIterator[bytes]:
    if isinstance(body, str):
        yield body.encode()
    elif isinstance(body, bytes | bytearray | memoryview):
        yield bytes(body)
    else:
        async for chunk in body:
            yield chunk


async def send(ctx: Context, segments: list[Segment], start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of an object from `start` up to, not including, `end`."""
    with ctx.engine.part(Readers).reading([digest for digest, _ in segments]):
        offset = 0
        for digest, size in segments:
            first, last = max(start - offset, 0), min(end - offset, size)
            if first < last:
                small = ctx.store.execute("SELECT data FROM s3_small WHERE blob = ?", digest)
                if small:
                    yield small[0]["data"][first:last]
                else:
                    async for chunk in ctx.blobs.read(digest, first, last):
                        yield chunk
            offset += size
