"""Files between S3 and the disk, as the build's role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeport.engine.services.context import Client

CHUNK = 1024 * 1024


async def download(s3: Client, bucket: str, key: str, file: Path, version: str = "") -> dict[str, Any]:
    """Write an object to a file and return S3's answer. Raises AwsError."""
    answer = await s3.get_object(Bucket=bucket, Key=key, VersionId=version or None)
    body = answer["Body"]
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        if isinstance(body, bytes):
            target.write(body)
        else:
            async for chunk in body:
                target.write(chunk)
    return answer


async def upload(s3: Client, bucket: str, key: str, file: Path, **options: Any) -> dict[str, Any]:
    """Write a file to an object. Raises AwsError."""
    return await s3.put_object(
        Bucket=bucket, Key=key, Body=read(file), ContentLength=file.stat().st_size, **options
    )


async def read(file: Path) -> AsyncIterator[bytes]:
    """The file's bytes in chunks."""
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk
