"""Checksums of objects: computed while the bytes pass, compared with what the client says.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from homeport.engine.wire.errors import AwsError

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_UNKNOWN = ("SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128")


class Digest(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, compute: Callable[[bytes, int], int], size: int) -> None:
        self._compute = compute
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._compute(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def new_digest(algorithm: str) -> Digest:
    """A fresh computation of one algorithm."""
    if algorithm == "CRC32":
        return _Crc(zlib.crc32, 4)
    if algorithm == "SHA1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "SHA256":
        return hashlib.sha256()
    if algorithm in _UNKNOWN:
        raise AwsError("NotImplemented", f"homeport does not compute {algorithm} checksums of objects.", 501)
    from awscrt import checksums

    if algorithm == "CRC32C":
        return _Crc(checksums.crc32c, 4)
    return _Crc(checksums.crc64nvme, 8)


class Expectation:
    """The checksum that a client announces: in a header before the bytes, or in a trailer after them."""

    def __init__(self, request: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        given = [name for name in (*ALGORITHMS, *_UNKNOWN) if request.get(f"Checksum{name}")]
        if len(given) > 1:
            raise AwsError(
                "InvalidRequest",
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            )
        trailer = headers.get("x-amz-trailer", "").lower().removeprefix("x-amz-checksum-").upper()
        asked = str(request.get("ChecksumAlgorithm") or trailer)
        self.algorithm: str | None = given[0] if given else asked or None
        if self.algorithm and self.algorithm not in (*ALGORITHMS, *_UNKNOWN):
            raise AwsError("InvalidRequest", f"The algorithm type {self.algorithm} is not known.")
        self._value = str(request[f"Checksum{given[0]}"]) if given else None
        self._digest = new_digest(self.algorithm) if self.algorithm else None

    def update(self, data: bytes) -> None:
        """Some of the bytes."""
        if self._digest:
            self._digest.update(data)

    def check(self, trailers: Mapping[str, str]) -> dict[str, str]:
        """The checksum as members of an answer. Raises BadDigest when the client's is another."""
        if self.algorithm is None or self._digest is None:
            return {}
        computed = base64.b64encode(self._digest.digest()).decode()
        expected = self._value or trailers.get(f"x-amz-checksum-{self.algorithm.lower()}")
        if expected is not None and expected != computed:
            raise AwsError(
                "BadDigest",
                f"The {self.algorithm} you specified did not match the calculated checksum.",
                400,
            )
        return {f"Checksum{self.algorithm}": computed}


def check_md5(given: str | None, md5: str) -> None:
    """Compare Content-MD5. Raises InvalidDigest, BadDigest."""
    if given is None:
        return
    try:
        wanted = base64.b64decode(given, validate=True)
    except ValueError:
        wanted = b""
    if len(wanted) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400)
    if wanted.hex() != md5:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)


def composite(algorithm: str, parts: list[str]) -> str:
    """The checksum of a multipart object made from its parts' checksums: `<base64>-<count>`."""
    digest = new_digest(algorithm)
    for part in parts:
        digest.update(base64.b64decode(part))
    return f"{base64.b64encode(digest.digest()).decode()}-{len(parts)}"


def full_object(algorithm: str, parts: list[tuple[str, int]]) -> str:
    """The CRC of a whole multipart object from its parts' CRCs and sizes."""
    from awscrt import checksums

    combine = {
        "CRC32": checksums.combine_crc32,
        "CRC32C": checksums.combine_crc32c,
        "CRC64NVME": checksums.combine_crc64nvme,
    }[algorithm]
    value = 0
    for encoded, size in parts:
        value = combine(value, int.from_bytes(base64.b64decode(encoded), "big"), size)
    return base64.b64encode(value.to_bytes(8 if algorithm == "CRC64NVME" else 4, "big")).decode()
