"""Members of the tar archives that images are made with; all belong to root."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path


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


def add_npm_package(tar: tarfile.TarFile, package: str, folder: str) -> None:
    """The files of an npm package (`npm@10.9.2`) in a folder, got by the machine's npm with its registry, proxies and
    certificates. Raises OSError."""
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", "--silent", "--pack-destination", place, package]
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise OSError(
                f"{package} is got by npm, which this machine does not have: install Node.js and npm"
            ) from None
        if done.returncode != 0:
            raise OSError(f"npm pack {package} failed: {done.stderr.strip()[-500:]}")
        [archive] = Path(place).glob("*.tgz")
        with tarfile.open(archive, mode="r:gz") as source:
            for member in source:
                content = source.extractfile(member) if member.isfile() else None
                if content is None or not member.name.startswith("package/") or ".." in member.name:
                    continue
                member.name = f"{folder}/{member.name.removeprefix('package/')}"
                tar.addfile(as_root(member), content)
