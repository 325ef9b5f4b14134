"""The configuration files that Envoy watches, and its acknowledgement of what they say.

    <folder>/cds.json  lds.json                 all clusters, all listeners
    <folder>/routes/<name>.json                 one route configuration each
    <folder>/endpoints/<target group>.json      the targets of one target group each

A file appears by rename, never half written. Its version is the hash of what it says, so that writing the
same state again changes nothing, also after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from homeport.engine.proxy.admin import Admin

_ACKNOWLEDGE_SECONDS = 10.0


class Rejected(Exception):
    """Envoy refused a configuration; it goes on with the one that it had."""


class ConfigFile:
    """One xDS file. `stat` is the prefix of the subscription's statistics in Envoy."""

    def __init__(self, path: Path, stat: str) -> None:
        self.path = path
        self.stat = stat

    def differs(self, resources: list[dict[str, Any]]) -> bool:
        try:
            return self.path.read_bytes() != _content(resources)
        except FileNotFoundError:
            return True

    def write(self, resources: list[dict[str, Any]]) -> None:
        self.replace(_content(resources))

    def replace(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.new")
        temporary.touch(mode=0o600)  # certificates' keys are in there
        temporary.write_bytes(content)
        temporary.rename(self.path)

    def read(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    def resources(self) -> list[dict[str, Any]]:
        content = self.read()
        return json.loads(content)["resources"] if content else []

    def version(self) -> str:
        return str(json.loads(self.path.read_bytes())["version_info"])


class Acknowledgement:
    """Writes files together and returns when Envoy works by all of them."""

    def __init__(self, admin: Admin, log: Path) -> None:
        self._admin = admin
        self._log = log

    async def write(self, changes: list[tuple[ConfigFile, list[dict[str, Any]]]]) -> None:
        """Write what differs and wait; a refusal puts the old files back and raises `Rejected`."""
        changes = [(file, resources) for file, resources in changes if file.differs(resources)]
        if not changes:
            return
        before = await self._numbers()
        log_start = self._log.stat().st_size
        old = [(file, file.read()) for file, _ in changes]
        for file, resources in changes:
            file.write(resources)
        try:
            await self._wait([file for file, _ in changes], before, log_start)
        except (Rejected, TimeoutError):
            for file, content in old:
                if content is not None:
                    file.replace(content)
            raise

    async def confirm(self, files: list[ConfigFile]) -> None:
        """Raise `Rejected` unless Envoy works by files that had no subscription yet when they were written."""
        now = await self._numbers()
        for file in files:
            if now.get(f"{file.stat}.version_text") != file.version() and now.get(
                f"{file.stat}.update_rejected"
            ):
                raise Rejected(await self._why(file, 0))

    async def _wait(self, files: list[ConfigFile], before: dict[str, Any], log_start: int) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _ACKNOWLEDGE_SECONDS
        waiting, pause = list(files), 0.001
        while True:
            now = await self._numbers()
            for file in waiting:
                refused = f"{file.stat}.update_rejected"
                if now.get(refused, 0) > before.get(refused, 0):
                    raise Rejected(await self._why(file, log_start))
            waiting = [file for file in waiting if now.get(f"{file.stat}.version_text") != file.version()]
            # A file that nothing refers to yet (routes of a listener to come) has no subscription.
            waiting = [file for file in waiting if f"{file.stat}.version_text" in now]
            if not waiting:
                return
            if loop.time() > deadline:
                names = ", ".join(file.path.name for file in waiting)
                raise TimeoutError(f"Envoy did not acknowledge {names} within {_ACKNOWLEDGE_SECONDS:.0f} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    async def _numbers(self) -> dict[str, Any]:
        """Versions and refusals of all subscriptions."""
        counters = await self._admin.get("/stats?format=json&filter=update_rejected$")
        texts = await self._admin.get("/stats?format=json&type=TextReadouts&filter=version_text$")
        return {stat["name"]: stat["value"] for stat in counters["stats"] + texts["stats"] if "name" in stat}

    async def _why(self, file: ConfigFile, log_start: int) -> str:
        """The refusal in Envoy's words: the end of what it has just logged."""
        for _ in range(50):
            with self._log.open("rb") as log:
                log.seek(log_start)
                said = log.read().decode(errors="replace").rstrip()
            if said:
                return f"Envoy refused {file.path.name}: {said.splitlines()[-1].removeprefix(': ')}"
            await asyncio.sleep(0.01)
        return f"Envoy refused {file.path.name}: see {self._log.name}"


def _content(resources: list[dict[str, Any]]) -> bytes:
    text = json.dumps(resources, sort_keys=True)
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    return json.dumps({"version_info": version, "resources": resources}, sort_keys=True, indent=1).encode()
