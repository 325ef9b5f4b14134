"""Go modules, as the build information in executables tells of them.

https://pkg.go.dev/debug/buildinfo. Executables of Go before 1.18 have another form, and are passed over.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO

from homeport.engine.services.ecr.scanning.package import Package

MAGIC = b"\xff Go buildinf:"
_INLINE = 2
_STRINGS = 32
_SENTINEL = 16
_PART = 4 * 1024 * 1024
_SMALLEST = 100 * 1024
_LONGEST = 1024 * 1024


def may_tell(member: tarfile.TarInfo) -> bool:
    """Whether the file is an executable that may be a Go program."""
    return bool(member.mode & 0o111) and member.size >= _SMALLEST


def read(path: str, file: IO[bytes]) -> list[Package]:
    """The modules of a Go executable; nothing for other files."""
    head = file.read(4)
    if head != b"\x7fELF":
        return []
    before = head
    while part := file.read(_PART):
        window = before + part
        at = window.find(MAGIC)
        if at >= 0:
            information = window[at:] + file.read(_LONGEST)
            return list(_modules(path, information))
        before = window[-len(MAGIC) :]
    return []


def _modules(path: str, information: bytes) -> Iterator[Package]:
    if len(information) < _STRINGS or not information[15] & _INLINE:
        return
    version, rest = _string(information[_STRINGS:])
    text, _ = _string(rest)
    if version.startswith(b"go"):
        release = version[2:].split(b" ")[0].decode(errors="replace")
        yield Package("golang", "stdlib", release, path=path)
    module: tuple[str, str] | None = None
    for line in text[_SENTINEL:-_SENTINEL].decode(errors="replace").splitlines():
        kind, *fields = line.split("\t")
        if kind == "=>" and len(fields) >= 2:
            module = fields[0], fields[1]
            continue
        if module:
            yield _package(path, *module)
        module = (fields[0], fields[1]) if kind == "dep" and len(fields) >= 2 else None
    if module:
        yield _package(path, *module)


def _package(path: str, module: str, version: str) -> Package:
    namespace, _, name = module.rpartition("/")
    return Package("golang", name, version.removeprefix("v"), namespace, path=path)


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it as a varint, and what comes after it."""
    length = shift = at = 0
    while at < len(data):
        byte = data[at]
        length |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return data[at : at + length], data[at + length :]
