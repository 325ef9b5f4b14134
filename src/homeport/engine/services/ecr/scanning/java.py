"""Java archives, and the archives in them. https://maven.apache.org/shared/maven-archiver/"""

from __future__ import annotations

import io
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from homeport.engine.services.ecr.scanning.package import LONGEST_TEXT, Package

ARCHIVE = re.compile(r".*\.(?:jar|war|ear|jpi|hpi)")
_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_DEEPEST = 3
_LARGEST_INSIDE = 128 * 1024 * 1024


def reader(path: str) -> Callable[[str, IO[bytes]], list[Package]] | None:
    """What reads this file, if it is a Java archive."""
    return _read if ARCHIVE.fullmatch(path) else None


def _read(path: str, file: IO[bytes]) -> list[Package]:
    with tempfile.TemporaryFile() as copy:
        while chunk := file.read(1024 * 1024):
            copy.write(chunk)
        return list(_packages(path, copy, 0))


def _packages(path: str, file: IO[bytes], depth: int) -> Iterator[Package]:
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                inside = f"{path}!{entry.filename}"
                if _POM.fullmatch(entry.filename):
                    with archive.open(entry) as properties:
                        yield from _pom(inside, properties.read(LONGEST_TEXT))
                elif (
                    ARCHIVE.fullmatch(entry.filename)
                    and depth < _DEEPEST
                    and entry.file_size <= _LARGEST_INSIDE
                ):
                    yield from _packages(inside, io.BytesIO(archive.read(entry)), depth + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
    ):
        return


def _pom(path: str, properties: bytes) -> Iterator[Package]:
    lines = (line.partition("=") for line in properties.decode(errors="replace").splitlines())
    fields = {key.strip(): value.strip() for key, _, value in lines}
    if all(fields.get(key) for key in ("groupId", "artifactId", "version")):
        yield Package("maven", fields["artifactId"], fields["version"], fields["groupId"], path=path)
