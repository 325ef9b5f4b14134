"""Python distributions. https://packaging.python.org/en/latest/specifications/core-metadata/"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.parser import BytesHeaderParser
from typing import IO

from homeport.engine.services.ecr.scanning.package import LONGEST_TEXT, Package

METADATA = re.compile(r"(?:.*/)?[^/]+(?:\.dist-info/METADATA|\.egg-info/PKG-INFO|\.egg-info)")


def reader(path: str) -> Callable[[str, IO[bytes]], list[Package]] | None:
    """What reads this file, if it is a distribution's metadata."""
    return _read if METADATA.fullmatch(path) else None


def _read(path: str, file: IO[bytes]) -> list[Package]:
    fields = BytesHeaderParser().parsebytes(file.read(LONGEST_TEXT))
    name, version = str(fields["Name"] or ""), str(fields["Version"] or "")
    if not name or not version:
        return []
    return [Package("pypi", re.sub(r"[-_.]+", "-", name).lower(), version, path=path)]
