"""The cache in S3: paths of a build's container as a zip archive, by project or by key.

https://docs.aws.amazon.com/codebuild/latest/userguide/caching-s3.html
"""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
import re
from pathlib import Path

from homeport.engine.services.codebuild import artifacts, container, sources, transfer
from homeport.engine.services.codebuild.buildspec import Buildspec
from homeport.engine.services.codebuild.collect import collect
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.codebuild.workspace import Workspace
from homeport.engine.services.context import Context
from homeport.engine.wire.errors import AwsError

_HASH_FILES = re.compile(r"\$\(\s*codebuild-hash-files\s+([^\s)]+)\s*\)")


async def restore(
    ctx: Context, build: Row, spec: Buildspec, folder: Path, workspace: Workspace
) -> tuple[Path | None, str]:
    """Get the cache: a folder that goes to the root of the container, or None; and the line for the log. `folder` has
    the sources, whose files a key may be made of."""
    if not _is_wanted(build, spec) or spec.cache.action == "save":
        return None, ""
    s3 = ctx.client("s3", role=build["serviceRole"])
    target = workspace.folder / "cache"
    for key in (spec.cache.key, *spec.cache.fallback_keys):
        bucket, name = _place(build, await asyncio.to_thread(_expanded, key, folder))
        try:
            await transfer.download(s3, bucket, name, target.with_suffix(".zip"))
        except AwsError as error:
            why = error.message
            continue
        target.mkdir(parents=True)
        await asyncio.to_thread(sources.unzip, target.with_suffix(".zip"), target)
        target.with_suffix(".zip").unlink()
        return target, f"Restored the cache s3://{bucket}/{name}"
    return None, f"Unable to download cache: {why}"


async def save(
    ctx: Context, build: Row, spec: Buildspec, directory: str, key: str, workspace: Workspace
) -> str:
    """Write the cache; the answer is the line for the log. A cache that cannot be written does not fail the build."""
    if not _is_wanted(build, spec) or spec.cache.action == "restore":
        return ""
    docker = ctx.engine.docker
    own = container.name(docker, build["id"])
    picked = []
    for number, path in enumerate(spec.cache.paths):
        pattern = posixpath.normpath(posixpath.join(directory, path))
        found = await collect(
            docker, own, "/", [pattern], workspace.artifacts(f"cache-{number}"), keep_links=True
        )
        picked += found or []
    if not picked:
        return "Nothing to cache: no file is below the paths of the buildspec's cache"
    bucket, name = _place(build, key)
    file = workspace.folder / "cache.zip"
    await asyncio.to_thread(artifacts.make_zip, file, picked)
    try:
        await transfer.upload(ctx.client("s3", role=build["serviceRole"]), bucket, name, file)
    except AwsError as error:
        return f"Unable to upload cache: {error.message}"
    return f"Saved {len(picked)} files to the cache s3://{bucket}/{name}"


async def expanded_key(spec: Buildspec, folder: Path) -> str:
    """The cache's key, with the hashes of the files that it names."""
    return await asyncio.to_thread(_expanded, spec.cache.key, folder)


def _is_wanted(build: Row, spec: Buildspec) -> bool:
    return build["cache"]["type"] == "S3" and bool(spec.cache.paths)


def _place(build: Row, key: str) -> tuple[str, str]:
    bucket, _, prefix = build["cache"]["location"].removeprefix("arn:aws:s3:::").partition("/")
    namespace = build["cache"].get("cacheNamespace") or build["projectName"]
    generation = f"{build['_cacheGeneration']}"
    return bucket, "/".join(
        part for part in (prefix.strip("/"), namespace, generation, f"{key or 'cache'}.zip") if part
    )


def _expanded(key: str, folder: Path) -> str:
    def hash_of(found: re.Match[str]) -> str:
        digest, inside = hashlib.sha256(), folder.resolve()
        for file in sorted(folder.glob(found[1])):
            if file.is_file() and file.resolve().is_relative_to(inside):
                digest.update(file.read_bytes())
        return digest.hexdigest()

    return _HASH_FILES.sub(hash_of, key)
