"""Uploading what a build leaves: artifacts to S3, or to CodePipeline's artifact store.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from homeport.engine.services.codebuild import container, transfer
from homeport.engine.services.codebuild.buildspec import Artifacts
from homeport.engine.services.codebuild.collect import Picked, collect
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.verdict import PhaseFailed
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

_DEFAULT_KEY = "alias/aws/s3"


async def upload(
    ctx: Context, build: Row, target: Row, spec: Artifacts, name: str, directory: str, folder: Path
) -> tuple[Row, list[str]]:
    """Upload one artifact and return its `BuildArtifacts` with the lines for the log. `name` is the buildspec's name,
    as the build's shell understood it. Raises PhaseFailed."""
    docker = ctx.engine.docker
    base = posixpath.normpath(posixpath.join(directory, spec.base_directory or "."))
    said = [
        f"Expanding base directory path: {spec.base_directory or '.'}",
        "Assembling file list",
        *(f"Expanding {pattern}" for pattern in spec.files),
    ]
    picked = await collect(
        docker,
        container.name(docker, build["id"]),
        base,
        spec.files,
        folder,
        spec.exclude_paths,
        spec.enable_symlinks,
    )
    if picked is None:
        raise PhaseFailed("CLIENT_ERROR", f"no matching base directory path found for {spec.base_directory}")
    if not picked:
        raise PhaseFailed("CLIENT_ERROR", "no matching artifact paths found")
    said.append(f"Found {len(picked)} file(s)")
    if spec.discard_paths:
        picked = [each._replace(path=posixpath.basename(each.path)) for each in picked]
    try:
        return await store(ctx, build, target, spec, name, picked, folder), said
    except AwsError as error:
        raise PhaseFailed(
            "CLIENT_ERROR", f"Error while uploading artifacts: {error.code}: {error.message}"
        ) from None


async def store(
    ctx: Context, build: Row, target: Row, spec: Artifacts, name: str, picked: Sequence[Picked], folder: Path
) -> Row:
    """Upload these files as one artifact, in the name of a build or a batch. Raises AwsError."""
    s3 = ctx.client("s3", role=build["serviceRole"])
    options = _options(build, target)
    bucket = target["location"].removeprefix("arn:aws:s3:::")
    key = _key(build, target, spec, name)
    described: Row = {
        "location": f"arn:aws:s3:::{bucket}/{key}",
        "overrideArtifactName": bool(target.get("overrideArtifactName")),
        "encryptionDisabled": bool(target.get("encryptionDisabled")),
    }
    if identifier := target.get("artifactIdentifier"):
        described["artifactIdentifier"] = identifier
    if target["type"] == "CODEPIPELINE" or target.get("packaging") == "ZIP":
        file = folder / "artifact.zip"
        await asyncio.to_thread(make_zip, file, picked)
        await transfer.upload(s3, bucket, key, file, ContentType="application/zip", **options)
        return described | await asyncio.to_thread(_sums, file)
    for each in picked:
        if not each.link:
            await transfer.upload(s3, bucket, posixpath.join(key, each.path), each.file, **options)
    return described


def _key(build: Row, target: Row, spec: Artifacts, name: str) -> str:
    if target["type"] == "CODEPIPELINE":
        return str(target["name"])
    own = name if target.get("overrideArtifactName") and name else target.get("name", build["projectName"])
    namespace = build["id"].partition(":")[2] if target.get("namespaceType") == "BUILD_ID" else ""
    parts = [spec.s3_prefix, target.get("path", ""), namespace, "" if own == "/" else own]
    return "/".join(part.strip("/") for part in parts if part.strip("/"))


def _options(build: Row, target: Row) -> dict[str, Any]:
    """How the objects are written: encrypted, and with the build that they are from."""
    options: dict[str, Any] = {"Metadata": {"codebuild-buildarn": build["arn"]}}
    key = build["encryptionKey"]
    if not target.get("encryptionDisabled") and not key.endswith(_DEFAULT_KEY):
        options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    return options


def _sums(file: Path) -> Row:
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return {"sha256sum": sha256, "md5sum": md5}


def make_zip(file: Path, picked: Sequence[Picked]) -> None:
    """Times are left out, so that the same files make the same archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for each in picked:
            member = zipfile.ZipInfo(each.path)
            if each.link:
                member.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(member, each.link)
                continue
            member.external_attr = (stat.S_IFREG | stat.S_IMODE(each.file.stat().st_mode)) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as target, each.file.open("rb") as source:
                while chunk := source.read(transfer.CHUNK):
                    target.write(chunk)
