"""Files that a build has left in its container, picked by patterns."""

from __future__ import annotations

import asyncio
import posixpath
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from homeport.engine.containers.errors import DockerRefused
from homeport.engine.containers.runtime import Runtime
from homeport.engine.services.codebuild import globs


class Picked(NamedTuple):
    """A file that was picked: its path relative to the base directory, where it lies now, what it links to."""

    path: str
    file: Path
    link: str = ""


async def collect(
    docker: Runtime,
    container: str,
    base: str,
    patterns: Sequence[str],
    folder: Path,
    excluded: Sequence[str] = (),
    keep_links: bool = False,
) -> list[Picked] | None:
    """Copy the files below `base` that the patterns mean to a local folder; None when there is no such base. Absolute
    patterns mean places outside of the base. A base with patterns in it (`my-build*`) means all folders that match."""
    if any(char in base for char in "*?"):
        return await _collect_below_all(docker, container, base, patterns, folder, excluded, keep_links)
    relative = [posixpath.relpath(each, base) if each.startswith("/") else each for each in patterns]
    start = globs.root(tuple(relative))
    top = posixpath.normpath(posixpath.join(base, start))
    archive = folder / "files.tar"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open("wb") as target:
            async for chunk in docker.copy_out(container, top):
                target.write(chunk)
    except DockerRefused as error:
        if error.status != 404:
            raise
        return [] if start else None
    prefix = posixpath.dirname(posixpath.relpath(top, base)) if start else None
    try:
        return await asyncio.to_thread(_pick, archive, prefix, relative, folder, excluded, keep_links)
    finally:
        archive.unlink()


async def _collect_below_all(
    docker: Runtime,
    container: str,
    base: str,
    patterns: Sequence[str],
    folder: Path,
    excluded: Sequence[str],
    keep_links: bool,
) -> list[Picked] | None:
    """The folders that match are not part of the paths; what lies in two of them is taken from the last."""
    top = globs.root((base,))
    own = posixpath.relpath(base, top)
    within = [posixpath.join(own, globs.plain(each)) for each in patterns]
    without = [posixpath.join(own, globs.plain(each)) for each in excluded]
    found = await collect(docker, container, top, within, folder, without, keep_links)
    depth = own.count("/") + 1
    paths = {each.path.split("/", depth)[-1]: each for each in found or ()}
    return [each._replace(path=path) for path, each in sorted(paths.items())] or None


def _pick(
    archive: Path,
    prefix: str | None,
    patterns: Sequence[str],
    folder: Path,
    excluded: Sequence[str],
    keep_links: bool,
) -> list[Picked]:
    """Unpack what is meant. The archive's names begin with the last part of the path that was asked for."""
    picked: dict[str, Picked] = {}
    with tarfile.open(archive) as tar:
        links: list[tuple[str, tarfile.TarInfo]] = []
        for member in tar:
            path = _path(member.name, prefix)
            if not path or not (member.isfile() or member.issym() or member.islnk()):
                continue
            if not any(globs.matches(pattern, path) for pattern in patterns):
                continue
            if any(globs.matches(pattern, path) for pattern in excluded):
                continue
            if member.issym():
                links.append((path, member))
                continue
            target = folder / f"{len(picked)}"
            source = tar.extractfile(member)
            if source is None:
                continue
            with target.open("wb") as written:
                while chunk := source.read(1024 * 1024):
                    written.write(chunk)
            target.chmod(member.mode & 0o777 | 0o600)
            picked[path] = Picked(path, target)
        for path, member in links:
            meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
            if keep_links:
                picked[path] = Picked(path, folder, member.linkname)
            elif meant in picked:
                picked[path] = Picked(path, picked[meant].file)
    return [picked[path] for path in sorted(picked)]


def _path(name: str, prefix: str | None) -> str:
    """The path relative to the base; `prefix` is None when the base itself was asked for."""
    if prefix is None:
        return name.partition("/")[2]
    return posixpath.normpath(posixpath.join(prefix, name))
