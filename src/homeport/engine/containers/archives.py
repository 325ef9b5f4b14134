"""Members of the tar archives that images are made with; all belong to root."""

from __future__ import annotations

import io
import tarfile
import urllib.request


def as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member that belongs to root."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """A file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))


def add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    """A symbolic link."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    tar.addfile(member)


def add_npm_package(tar: tarfile.TarFile, url: str, folder: str) -> None:
    """The files of a package of npm's registry, in a folder. Raises OSError."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        package = io.BytesIO(answer.read())
    with tarfile.open(fileobj=package, mode="r:gz") as source:
        for member in source:
            content = source.extractfile(member) if member.isfile() else None
            if content is None or not member.name.startswith("package/") or ".." in member.name:
                continue
            member.name = f"{folder}/{member.name.removeprefix('package/')}"
            tar.addfile(as_root(member), content)
