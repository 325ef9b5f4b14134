"""A build's own folder on the disk: sources until they are in the container, and what its container is made from.

<data>/codebuild/<build uuid>/
  source/<identifier>/     sources; the primary one is `primary`
  setup.json               (0600) the container's files and variables, and the secrets that the log must not show
  container.tar            (0600) all of it, on its way into the container
  artifacts/…              files that were copied out of the container
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from homeport.engine.services.context import Context

PRIMARY = "primary"


class Workspace:
    """The folder of one build."""

    def __init__(self, ctx: Context, id: str) -> None:
        self.folder: Path = ctx.engine.folder("codebuild") / id.partition(":")[2]

    def source(self, identifier: str) -> Path:
        """An empty folder for a source."""
        folder = self.folder / "source" / (identifier or PRIMARY)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def write_setup(self, setup: dict[str, Any]) -> None:
        """Keep what the container is made from."""
        file = self.folder / "setup.json"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(setup))

    def container(self) -> Path:
        """An empty file for what goes into the container."""
        file = self.folder / "container.tar"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        return file

    def setup(self) -> dict[str, Any]:
        """What the container is made from."""
        found: dict[str, Any] = json.loads((self.folder / "setup.json").read_text())
        return found

    async def drop_sources(self) -> None:
        """Remove the sources, which are in the container by now."""
        await asyncio.to_thread(shutil.rmtree, self.folder / "source", ignore_errors=True)

    def artifacts(self, name: str) -> Path:
        """An empty folder for files that come out of the container."""
        folder = self.folder / "artifacts" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    async def drop(self) -> None:
        """Remove the folder."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
