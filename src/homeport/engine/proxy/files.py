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

Resource = dict[str, Any]

_ACKNOWLEDGE_SECONDS = 10.0
_FILTER = r"\.(update_rejected|version_text)$"


class Rejected(Exception):
    """Envoy refused a configuration; it goes on with the one that it had."""


class ConfigFile:
    """One xDS file. `stat` is the prefix of the subscription's statistics in Envoy."""

    def __init__(self, path: Path, stat: str) -> None:
        self.path = path
        self.stat = stat

    def read(self) -> bytes | None:
        return self.path.read_bytes() if self.path.exists() else None

    def replace(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.new")
        temporary.touch(mode=0o600)  # certificates' keys are in there
        temporary.write_bytes(content)
        temporary.rename(self.path)


class ConfigFiles:
    """Writes files together and returns when Envoy works by all of them."""

    def __init__(self, admin: Admin, log: Path) -> None:
        self._admin = admin
        self._log = log
        self._written: dict[Path, list[Resource]] = {}
        self._rejected: dict[str, int] = {}

    def resources(self, file: ConfigFile) -> list[Resource]:
        """What the file says now."""
        if file.path not in self._written:
            content = file.read()
            self._written[file.path] = json.loads(content)["resources"] if content else []
        return self._written[file.path]

    async def write(self, wanted: list[tuple[ConfigFile, list[Resource]]]) -> list[ConfigFile]:
        """Write what differs and wait; a refusal puts the old files back and raises `Rejected`.

        Returns the files that Envoy does not look at yet: routes of a listener that is still to come.
        """
        changes = [
            (file, resources)
            for file, resources in wanted
            if not file.path.exists() or self.resources(file) != resources
        ]
        if not changes:
            return []
        log_start = self._log.stat().st_size
        old = [(file, file.read()) for file, _ in changes]
        versions = {}
        for file, resources in changes:
            versions[file], content = _content(resources)
            file.replace(content)
            self._written[file.path] = resources
        try:
            return await self._wait(versions, log_start)
        except BaseException:
            for file, before in old:
                self._written.pop(file.path, None)
                if before is not None:
                    file.replace(before)
            raise

    async def confirm(self, files: list[ConfigFile]) -> None:
        """Raise `Rejected` unless Envoy works by files that it did not look at when they were written."""
        now = await self._numbers()
        for file in files:
            refused = now.get(f"{file.stat}.update_rejected", 0)
            if not now.get(f"{file.stat}.version_text") and refused:
                self._rejected[file.stat] = refused
                self._written.pop(file.path, None)
                raise Rejected(await self._why(file, 0))

    def remove(self, path: Path) -> None:
        """Delete a file that nothing refers to any more."""
        self._written.pop(path, None)
        path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Envoy is gone, and maybe its files."""
        self._written.clear()
        self._rejected.clear()

    async def _wait(self, versions: dict[ConfigFile, str], log_start: int) -> list[ConfigFile]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _ACKNOWLEDGE_SECONDS
        waiting, unseen, pause = list(versions), [], 0.001
        while True:
            now = await self._numbers()
            for file in waiting:
                refused = now.get(f"{file.stat}.update_rejected", 0)
                before = self._rejected.get(file.stat, 0)
                self._rejected[file.stat] = refused
                if refused > (before if refused >= before else 0):
                    raise Rejected(await self._why(file, log_start))
            unseen += [file for file in waiting if f"{file.stat}.version_text" not in now]
            waiting = [
                file
                for file in waiting
                if now.get(f"{file.stat}.version_text", versions[file]) != versions[file]
            ]
            if not waiting:
                return unseen
            if loop.time() > deadline:
                names = ", ".join(file.path.name for file in waiting)
                raise TimeoutError(f"Envoy did not acknowledge {names} within {_ACKNOWLEDGE_SECONDS:.0f} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    async def _numbers(self) -> dict[str, Any]:
        """Versions and refusals of all subscriptions."""
        answer = await self._admin.get(f"/stats?format=json&filter={_FILTER}")
        return {stat["name"]: stat["value"] for stat in answer["stats"] if "name" in stat}

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


def _content(resources: list[Resource]) -> tuple[str, bytes]:
    """The file's version, and what stands in it."""
    text = json.dumps(resources, sort_keys=True)
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    return version, f'{{"version_info": "{version}", "resources": {text}}}\n'.encode()
