"""What the layers of an image tell of packages: each layer is read once, as a stream, and files that a later layer
replaces or removes ("whiteouts") count no more.

https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import zstandard

from homeport.engine.services.ecr.scanning import golang, java, npm, os_packages, python
from homeport.engine.services.ecr.scanning.os_packages import UnreadableDatabase
from homeport.engine.services.ecr.scanning.package import Package

Reader = Callable[[str, IO[bytes]], list[Package]]
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
LARGEST = 512 * 1024 * 1024
_OPAQUE = ".wh..wh..opq"


class Contents(NamedTuple):
    """The packages of an image, the text of its os-release file, and why packages are missing, if some are."""

    packages: list[Package]
    os_release: str
    unread: list[str]


class UnreadableLayer(Exception):
    """A layer is no tar archive, or is damaged."""


def read_image(layers: Iterable[Path]) -> Contents:
    """Read the layers, lowest first. Raises UnreadableLayer."""
    found: dict[str, Any] = {}
    for layer in layers:
        try:
            with layer.open("rb") as file:
                _apply(file, found)
        except (tarfile.TarError, EOFError, OSError, zstandard.ZstdError) as error:
            raise UnreadableLayer(f"sha256:{layer.name}: {error}") from None
    releases = [found.pop(path) for path in OS_RELEASE if path in found]
    unread = [str(each) for each in found.values() if isinstance(each, UnreadableDatabase)]
    lists = [each for each in found.values() if not isinstance(each, UnreadableDatabase)]
    packages = [package for each in lists for package in each]
    return Contents(packages, releases[0] if releases else "", unread)


def _apply(file: IO[bytes], found: dict[str, Any]) -> None:
    own: dict[str, Any] = {}
    with _open_tar(file) as tar:
        for member in tar:
            path = posixpath.normpath(member.name).lstrip("/")
            folder, name = posixpath.split(path)
            if name == _OPAQUE:
                _forget(found, folder, itself=False)
            elif name.startswith(".wh."):
                _forget(found, posixpath.join(folder, name[4:]))
            elif member.isfile():
                found.pop(path, None)
                if what := _read(tar, member, path):
                    own[path] = what
            elif not member.isdir():
                found.pop(path, None)
    found.update(own)


def _open_tar(file: IO[bytes]) -> tarfile.TarFile:
    magic = file.read(4)
    file.seek(0)
    if magic == b"\x28\xb5\x2f\xfd":
        return tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(file), mode="r|")
    return tarfile.open(fileobj=file, mode="r|gz" if magic[:2] == b"\x1f\x8b" else "r|")


def _forget(found: dict[str, Any], path: str, itself: bool = True) -> None:
    for held in [held for held in found if held.startswith(f"{path}/") or (itself and held == path)]:
        del found[held]


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> Any:
    reader = _reader(path, member)
    if reader is None and path not in OS_RELEASE:
        return None
    content = tar.extractfile(member)
    if content is None or member.size > LARGEST:
        return None
    if reader is None:
        return content.read(65536).decode(errors="replace")
    try:
        return reader(path, content)
    except UnreadableDatabase as error:
        return error


def _reader(path: str, member: tarfile.TarInfo) -> Reader | None:
    for module in (os_packages, python, npm, java):
        if reader := module.reader(path):
            return reader
    return golang.read if golang.may_tell(member) else None
