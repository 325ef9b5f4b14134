"""Deployment packages: zip archives, kept under their digest in the data folder.

<data>/lambda/<64 hex>.zip
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import stat
import tarfile
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.engine import Engine
from homeport.engine.services.lambda_.names import invalid
from homeport.engine.services.lambda_.tables import VERSIONS
from homeport.engine.wire.errors import AwsError

FOLDER = "lambda"
_MAX_UNPACKED = 262144000
_MAX_UPLOAD = 70167211


async def read(ctx: Context, code: dict[str, Any]) -> bytes:
    """The archive that a request gives, or that it names in S3, with the caller's permissions. Raises
    InvalidParameterValueException, RequestEntityTooLargeException."""
    if "ZipFile" in code:
        content: bytes = code["ZipFile"]
        if len(content) > _MAX_UPLOAD:
            raise AwsError("RequestEntityTooLargeException", "The zip file is larger than 50 MB.", 413)
    else:
        content = await _from_s3(ctx, code)
    _check(content)
    return content


async def _from_s3(ctx: Context, code: dict[str, Any]) -> bytes:
    bucket, key, version = code.get("S3Bucket"), code.get("S3Key"), code.get("S3ObjectVersion")
    if not bucket or not key:
        raise invalid("Please provide a source for function code.")
    try:
        answer = await ctx.client("s3").get_object(Bucket=bucket, Key=key, VersionId=version)
    except AwsError as error:
        raise invalid(
            f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
        ) from None
    body: bytes | AsyncIterator[bytes] = answer["Body"]
    return body if isinstance(body, bytes) else b"".join([chunk async for chunk in body])


def _check(content: bytes) -> None:
    """Refuse what is no archive, what is too large, and what would leave the folder that it is unpacked into."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError):
        raise invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from None
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        raise invalid(f"Unzipped size must be smaller than {_MAX_UNPACKED} bytes")
    if not any(not member.is_dir() for member in members):
        raise invalid("Uploaded file must be a non-empty zip")
    for member in members:
        if _escapes(member.filename):
            raise invalid(
                f"Could not unzip uploaded file: {member.filename[:256]!r} lies outside of the archive's folder."
            )
        if _is_link(member):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                target = archive.read(member).decode(errors="replace")
            parent = member.filename.rpartition("/")[0]
            if target.startswith("/") or _escapes(f"{parent}/{target}" if parent else target):
                raise invalid(
                    f"Could not unzip uploaded file: the link {member.filename[:256]!r} leads out of the archive's "
                    "folder."
                )


def _escapes(name: str) -> bool:
    if name.startswith("/") or "\\" in name or "\0" in name:
        return True
    depth = 0
    for part in name.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return False


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def keep(engine: Engine, content: bytes) -> str:
    """Store an archive and return its digest in hex. It is on the disk when this returns."""
    digest = hashlib.sha256(content).hexdigest()
    target = path(engine, digest)
    if not target.exists():
        part = target.with_name(f"{digest}.{secrets.token_hex(4)}.part")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    return digest


def path(engine: Engine, digest: str) -> Path:
    """Where an archive lies."""
    return engine.folder(FOLDER) / f"{digest}.zip"


def clear_unused(engine: Engine) -> None:
    """Remove the archives that no version has any more, and what a killed engine left half written."""
    used = {version["code"].get("package") for _, version in VERSIONS.everywhere(engine.store)}
    for file in engine.folder(FOLDER).iterdir():
        if file.stem not in used:
            file.unlink(missing_ok=True)


def unpack(archive: Path, folder: str, tar: tarfile.TarFile) -> None:
    """Add the archive's files to a tar archive, below a folder; everybody may read them, as on AWS they must."""
    with zipfile.ZipFile(archive) as source:
        for member in source.infolist():
            entry = tarfile.TarInfo(f"{folder}/{member.filename.rstrip('/')}")
            mode = member.external_attr >> 16
            if member.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            elif _is_link(member):
                entry.type, entry.linkname = tarfile.SYMTYPE, source.read(member).decode()
                tar.addfile(entry)
            else:
                content = source.read(member)
                entry.size, entry.mode = len(content), (mode & 0o777 or 0o644) | 0o444
                tar.addfile(entry, io.BytesIO(content))
