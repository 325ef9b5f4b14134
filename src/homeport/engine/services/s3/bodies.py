"""The bytes of objects on their way in and out, in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.s3.checksums import Expectation, check_md5
from homeport.engine.services.s3.versions import Segment
from homeport.engine.store.blobs import Blob

MAX_PART = 5 * 1024**3


async def receive(ctx: Context, request: Mapping[str, Any]) -> tuple[Blob, dict[str, str]]:
    """Store a request's body; what its client says of it is checked. Answers the blob and its checksum."""
    body = request.get("Body") or b""
    expected = Expectation(request, ctx.call.headers if ctx.call else {})
    trailers: Mapping[str, str] = getattr(body, "trailers", {})

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in _iterate(body):
            expected.update(chunk)
            yield chunk

    blob = await ctx.blobs.write(chunks())
    try:
        checksums = expected.check(trailers)
        check_md5(request.get("ContentMD5"), blob.md5)
    except BaseException:
        discard(ctx, blob)
        raise
    return blob, checksums


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
    offset = 0
    for digest, size in segments:
        first, last = max(start - offset, 0), min(end - offset, size)
        if first < last:
            async for chunk in ctx.blobs.read(digest, first, last):
                yield chunk
        offset += size
