"""npm packages that are installed. https://docs.npmjs.com/cli/configuring-npm/package-json"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import IO

from homeport.engine.services.ecr.scanning.package import LONGEST_TEXT, Package

INSTALLED = re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^/]+/package\.json")


def reader(path: str) -> Callable[[str, IO[bytes]], list[Package]] | None:
    """What reads this file, if it describes an installed package."""
    return _read if INSTALLED.fullmatch(path) else None


def _read(path: str, file: IO[bytes]) -> list[Package]:
    try:
        package = json.loads(file.read(LONGEST_TEXT))
        name, version = package["name"], package["version"]
    except (ValueError, KeyError, TypeError):
        return []
    if not isinstance(name, str) or not isinstance(version, str):
        return []
    namespace, _, bare = name.rpartition("/")
    return [Package("npm", bare, version, namespace, path=path)]
