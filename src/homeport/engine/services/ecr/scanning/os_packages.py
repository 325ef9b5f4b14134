"""The packages of distributions: dpkg, apk, rpm."""

from __future__ import annotations

import re
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from email.parser import HeaderParser
from typing import IO

from homeport.engine.services.ecr.scanning.package import LONGEST_TEXT, Package

DPKG = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
RPM = ("var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite", "usr/share/rpm/rpmdb.sqlite")
OLD_RPM = ("Packages", "Packages.db")
"""Databases of rpm before 4.16 (Berkeley DB) and of SUSE (ndb), in the folders of the new one."""
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH, _SOURCE = 1000, 1001, 1002, 1003, 1022, 1044
_INT32 = 4


class UnreadableDatabase(Exception):
    """A package manager's database of a form that is not understood; the text names the form."""


def reader(path: str) -> Callable[[str, IO[bytes]], list[Package]] | None:
    """What reads this file, if it is a package manager's database. Reading may raise UnreadableDatabase."""
    if DPKG.fullmatch(path) and not path.endswith(".md5sums"):
        return _dpkg
    if path in APK:
        return _apk
    if path in _OLD_RPM_PATHS:
        return _old_rpm
    return _rpm if path in RPM else None


_OLD_RPM_PATHS = {path.replace("rpmdb.sqlite", name) for path in RPM for name in OLD_RPM}


def _dpkg(path: str, file: IO[bytes]) -> list[Package]:
    """https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html"""
    packages = []
    for paragraph in file.read(LONGEST_TEXT).decode(errors="replace").split("\n\n"):
        fields = HeaderParser().parsestr(paragraph.lstrip("\n"))
        name, version = fields["Package"], fields["Version"]
        removed = fields["Status"] and not fields["Status"].endswith(" installed")
        if not name or not version or removed:
            continue
        source, _, source_version = (fields["Source"] or name).partition(" ")
        packages.append(
            Package(
                "deb",
                name,
                version,
                source=source,
                source_version=source_version.strip("() ") or version,
                arch=fields["Architecture"] or "",
                path=path,
            )
        )
    return packages


def _apk(path: str, file: IO[bytes]) -> list[Package]:
    """https://wiki.alpinelinux.org/wiki/Apk_spec"""
    packages = []
    for paragraph in file.read(LONGEST_TEXT).decode(errors="replace").split("\n\n"):
        fields = dict(line.split(":", 1) for line in paragraph.splitlines() if line[1:2] == ":")
        if "P" in fields and "V" in fields:
            name, version = fields["P"], fields["V"]
            packages.append(
                Package(
                    "apk",
                    name,
                    version,
                    source=fields.get("o", name),
                    source_version=version,
                    arch=fields.get("A", ""),
                    path=path,
                )
            )
    return packages


def _rpm(path: str, file: IO[bytes]) -> list[Package]:
    """https://rpm-software-management.github.io/rpm/manual/hregions.html"""
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as copy:
        while chunk := file.read(1024 * 1024):
            copy.write(chunk)
        copy.flush()
        database = sqlite3.connect(f"file:{copy.name}?mode=ro&immutable=1", uri=True)
        try:
            blobs = [row[0] for row in database.execute("SELECT blob FROM Packages")]
            return [package for blob in blobs for package in _rpm_header(path, blob)]
        except (sqlite3.DatabaseError, struct.error, ValueError, TypeError) as error:
            raise UnreadableDatabase(f"the rpm database /{path} is damaged ({error})") from None
        finally:
            database.close()


def _old_rpm(path: str, file: IO[bytes]) -> list[Package]:
    form = "ndb" if path.endswith(".db") else "Berkeley DB"
    raise UnreadableDatabase(f"the rpm database /{path} has the form {form}, which homeport does not read")


def _rpm_header(path: str, blob: bytes) -> Iterator[Package]:
    entries, _ = struct.unpack_from(">II", blob)
    data = 8 + 16 * entries
    fields: dict[int, str] = {}
    for number in range(entries):
        tag, kind, offset, _ = struct.unpack_from(">IIII", blob, 8 + 16 * number)
        if tag in (_NAME, _VERSION, _RELEASE, _ARCH, _SOURCE):
            start = data + offset
            fields[tag] = blob[start : blob.index(b"\0", start)].decode(errors="replace")
        elif tag == _EPOCH and kind == _INT32:
            fields[tag] = str(struct.unpack_from(">I", blob, data + offset)[0])
    if _NAME in fields and fields[_NAME] != "gpg-pubkey":
        epoch = f"{fields[_EPOCH]}:" if fields.get(_EPOCH, "0") != "0" else ""
        version = f"{epoch}{fields.get(_VERSION, '')}-{fields.get(_RELEASE, '')}"
        name = fields[_NAME]
        arch = fields.get(_ARCH, "")
        yield Package("rpm", name, version, source=name, source_version=version, arch=arch, path=path)
