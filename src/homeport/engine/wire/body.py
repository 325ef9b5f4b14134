"""Streamed request bodies: aws-chunked is decoded, the signed hash is checked as the bytes pass.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import AsyncIterator, Callable

from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import MAX_BODY, BodyTooLarge
from homeport.engine.wire.signing import UNSIGNED_PAYLOAD

STREAMING = "STREAMING-"
_CHUNK = re.compile(rb"^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$")
MAX_CHUNK = 32 * 1024 * 1024

Check = Callable[[str, bytes, bool], None]


class Body:
    """The decoded bytes of one streamed request, to be iterated once. `length` is what the client announced;
    when the bytes have passed, `trailers` holds the trailing headers (checksums), and `sha256` the digest of the
    bytes in hex if the client signed it."""

    def __init__(self, source: AsyncIterator[bytes], headers: dict[str, str], check: Check | None) -> None:
        self.trailers: dict[str, str] = {}
        self.sha256: str | None = None
        self._payload = headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
        self._chunked = self._payload.startswith(STREAMING) or "aws-chunked" in headers.get(
            "content-encoding", ""
        )
        self._check = check if self._payload.startswith(f"{STREAMING}AWS4-HMAC") else None
        length = (
            headers.get("x-amz-decoded-content-length") if self._chunked else headers.get("content-length")
        )
        self.length: int | None = int(length) if length and length.isdecimal() else None
        self._chunks = self._decoded(source) if self._chunked else self._plain(source)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def read(self) -> bytes:
        """All the bytes."""
        return b"".join([chunk async for chunk in self])

    async def _plain(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        digest = hashlib.sha256() if self._payload != UNSIGNED_PAYLOAD else None
        size = 0
        async for chunk in source:
            size += len(chunk)
            if digest:
                digest.update(chunk)
            yield chunk
        self._complete(size)
        if digest and digest.hexdigest() != self._payload:
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                400,
                ClientComputedContentSHA256=self._payload,
                S3ComputedContentSHA256=digest.hexdigest(),
            )
        self.sha256 = self._payload if digest else None

    async def _decoded(self, source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        reader = _Reader(source)
        size = 0
        while True:
            found = _CHUNK.match(await reader.line())
            if not found or (self._check and not found[2]):
                raise _incomplete("a chunk's header is malformed")
            length = int(found[1], 16)
            if length > MAX_CHUNK:
                raise _incomplete(f"a chunk is larger than {MAX_CHUNK} bytes")
            data = await reader.exactly(length)
            if self._check:
                self._check(found[2].decode(), data, False)
            if not length:
                break
            size += length
            if await reader.line():
                raise _incomplete("a chunk does not end where its header says")
            yield data
        await self._read_trailers(reader)
        self._complete(size)

    async def _read_trailers(self, reader: _Reader) -> None:
        signed = b""
        signature = ""
        while line := await reader.line(at_end=b""):
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "x-amz-trailer-signature":
                signature = value.strip()
            else:
                self.trailers[name.strip().lower()] = value.strip()
                signed += f"{name.strip().lower()}:{value.strip()}\n".encode()
        if self._check and self.trailers:
            self._check(signature, signed, True)

    def _complete(self, size: int) -> None:
        if self.length is not None and size != self.length:
            raise _incomplete(f"{size} of {self.length} bytes came")


def unzip(data: bytes) -> bytes:
    """The body of a request that came with `Content-Encoding: gzip`. Raises SerializationException, BodyTooLarge."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        whole = reader.decompress(data, MAX_BODY)
    except zlib.error:
        raise AwsError("SerializationException", "The request body is not what gzip makes.", 400) from None
    if reader.unconsumed_tail:
        raise BodyTooLarge
    return whole


class _Reader:
    """Lines and counted bytes from a stream of chunks."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._buffer = bytearray()

    async def line(self, at_end: bytes | None = None) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > 8192:
                raise _incomplete("a header line is too long")
            if not await self._fill():
                if at_end is not None:
                    return at_end
                raise _incomplete("the body ends in the middle of a chunk")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not await self._fill():
                raise _incomplete("the body ends in the middle of a chunk")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _fill(self) -> bool:
        async for chunk in self._source:
            self._buffer += chunk
            return True
        return False


def _incomplete(why: str) -> AwsError:
    return AwsError(
        "IncompleteBody",
        f"The request body terminated unexpectedly or is not what its headers say: {why}.",
        400,
    )
