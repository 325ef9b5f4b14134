"""Layers made by hand, for scans."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from typing import Any

import zstandard

OS_RELEASE = b'ID=debian\nVERSION_ID="12"\n'
DPKG = b"""Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.11-1~deb12u2

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""


def layer(files: dict[str, bytes], compression: str = "gzip") -> bytes:
    """A layer with these files; paths under bin/ are executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o755 if "bin/" in path else 0o644
            tar.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()
    if compression == "zstd":
        return zstandard.compress(data)
    return gzip.compress(data, 1) if compression == "gzip" else data


def wheel(name: str, version: str) -> dict[str, bytes]:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nSome text: here\n"
    return {f"usr/lib/python3/{name}-{version}.dist-info/METADATA": metadata.encode()}


def npm(name: str, version: str) -> dict[str, bytes]:
    return {f"app/node_modules/{name}/package.json": json.dumps({"name": name, "version": version}).encode()}


def jar(group: str, artifact: str, version: str) -> bytes:
    """An archive in an archive."""
    inner, outer = io.BytesIO(), io.BytesIO()
    properties = f"#\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(f"META-INF/maven/{group}/{artifact}/pom.properties", properties)
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("BOOT-INF/lib/inner.jar", inner.getvalue())
    return outer.getvalue()


def damaged_jar() -> bytes:
    """An archive whose compressed bytes are no deflate stream."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/maven/g/a/pom.properties", "version=1\n" * 100)
        start = archive.infolist()[0].header_offset + 30 + len("META-INF/maven/g/a/pom.properties")
    data = bytearray(file.getvalue())
    data[start : start + 4] = b"\xff" * 4
    return bytes(data)


def go_program(*modules: tuple[str, str]) -> bytes:
    """An executable with the build information that Go 1.18 and later write."""
    lines = ["path\texample.com/app", "mod\texample.com/app\t(devel)\t"]
    lines += [f"dep\t{path}\t{version}\th1:x=" for path, version in modules]
    text = b"0" * 16 + "\n".join(lines).encode() + b"1" * 16
    head = (b"\xff Go buildinf:" + bytes([8, 2])).ljust(32, b"\0")
    return b"\x7fELF" + b"\0" * 200_000 + head + _string(b"go1.21.0") + _string(text) + b"\0" * 1000


def advisory(id: str, ecosystem: str, name: str, fixed: str | None, **members: Any) -> dict[str, Any]:
    """An advisory in OSV form for all versions before `fixed`."""
    events = [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": id, "modified": "2026-01-01T00:00:00Z", "affected": [affected]} | members


def _string(data: bytes) -> bytes:
    length, prefix = len(data), b""
    while length >= 0x80:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return prefix + bytes([length]) + data
