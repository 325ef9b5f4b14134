"""Artifacts: zip files in the pipeline's artifact store, which is an S3 bucket.

https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
"""

from __future__ import annotations

import asyncio
import string
import zipfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from homeport.engine.services.codepipeline.actions.contract import ActionFailed
from homeport.engine.services.context import Client

CHUNK = 256 * 1024
_LETTERS = string.ascii_letters + string.digits


class Artifact(NamedTuple):
    """One artifact's place in S3."""

    name: str
    bucket: str
    key: str

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}/{self.key}"


def key(pipeline_name: str, artifact_name: str, token: str) -> str:
    """The S3 key of an artifact, shortened as CodePipeline does; `token` has hex digits."""
    number, letters = int(token, 16), ""
    for _ in range(7):
        number, digit = divmod(number, len(_LETTERS))
        letters += _LETTERS[digit]
    return f"{pipeline_name[:20]}/{artifact_name[:10]}/{letters}"


async def download(s3: Client, artifact: Artifact, folder: Path) -> Path:
    """Write the artifact into the folder and return the file."""
    file = folder / f"{artifact.name}.zip"
    answer = await s3.get_object(Bucket=artifact.bucket, Key=artifact.key)
    body = answer["Body"]
    with file.open("wb") as target:
        if isinstance(body, bytes):
            target.write(body)
        else:
            async for chunk in body:
                target.write(chunk)
    return file


async def upload(s3: Client, artifact: Artifact, file: Path, store: Mapping[str, Any]) -> None:
    """Write a zip file to the artifact's place, encrypted as its store says."""
    encryption = store.get("encryptionKey")
    keys = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption["id"]} if encryption else {}
    await s3.put_object(
        Bucket=artifact.bucket,
        Key=artifact.key,
        Body=read_file(file),
        ContentLength=file.stat().st_size,
        ContentType="application/zip",
        **keys,
    )


async def read_file(file: Path) -> AsyncIterator[bytes]:
    """The file's bytes in chunks."""
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            yield chunk


async def member(file: Path, path: str, limit: int = 5_000_000) -> bytes | None:
    """One file of a zip; None when it is not in it. Raises ActionFailed when the file is no zip."""
    return await asyncio.to_thread(_member, file, path, limit)


def _member(file: Path, path: str, limit: int) -> bytes | None:
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo(path).file_size > limit:
                raise ActionFailed(f"{path} in the artifact {file.stem} is larger than {limit} bytes")
            return archive.read(path)
    except KeyError:
        return None
    except zipfile.BadZipFile:
        raise ActionFailed(f"The artifact {file.stem} is not a zip file") from None
