"""A strict load: keep-alive connections that never retry, so that every lost request is seen.

`python -m homeport.cli.load HOST PORT SECONDS RATE` prints what it saw as JSON; `LoadTest` runs it beside the caller.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

CONNECTIONS = 16
TIMEOUT = 10.0


class LoadTest:
    """A load on a host, from `start` until `stop`, in a process of its own."""

    def __init__(self, host: str, address: str, port: int, rate: int, path: str = "/") -> None:
        self._command = [sys.executable, "-m", "homeport.cli.load", host, address, str(port), str(rate), path]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)

    def stop(self) -> dict[str, Any]:
        """End, and return `{"requests", "failed", "statuses", "errors", "versions", "p50_ms", "p99_ms"}`."""
        assert self._process and self._process.stdout
        self._process.send_signal(signal.SIGTERM)
        result = json.loads(self._process.stdout.read())
        self._process.wait(30)
        return result


class _Load:
    def __init__(self, host: str, address: str, port: int, rate: int, path: str) -> None:
        self._address, self._port = address, port
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self._interval = CONNECTIONS / rate
        self._statuses: Counter[int] = Counter()
        self._errors: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self._milliseconds: list[float] = []
        self._end = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        await asyncio.gather(*(self._connection(at) for at in range(CONNECTIONS)))
        times = sorted(self._milliseconds) or [0.0]
        good = self._statuses[200]
        total = sum(self._statuses.values()) + sum(self._errors.values())
        return {
            "requests": total,
            "failed": total - good,
            "statuses": dict(self._statuses),
            "errors": dict(self._errors),
            "versions": dict(self._versions),
            "p50_ms": round(times[len(times) // 2], 2),
            "p99_ms": round(times[int(len(times) * 0.99)], 2),
        }

    async def _connection(self, at: int) -> None:
        await asyncio.sleep(self._interval * at / CONNECTIONS)
        reader, writer = None, None
        while not self._end.is_set():
            begin = time.monotonic()
            try:
                async with asyncio.timeout(TIMEOUT):
                    if reader is None or writer is None:
                        reader, writer = await asyncio.open_connection(self._address, self._port)
                    close = await self._exchange(reader, writer)
                self._milliseconds.append((time.monotonic() - begin) * 1000)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self._errors[f"{type(error).__name__}: {error}"] += 1
                close = True
            if close and writer is not None:
                writer.close()
                reader, writer = None, None
            await asyncio.sleep(max(0.0, self._interval - (time.monotonic() - begin)))

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request on an open connection; True when the server closes it."""
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split()[1])
        length = next(
            (int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")), 0
        )
        body = await reader.readexactly(length)
        self._statuses[status] += 1
        if status == 200:
            self._versions[_version(body)] += 1
        return "connection: close" in head


def _version(body: bytes) -> str:
    try:
        return str(json.loads(body)["version"])
    except (ValueError, KeyError, TypeError):
        return "other"


if __name__ == "__main__":
    host, address, port, rate, path = sys.argv[1:]
    print(json.dumps(asyncio.run(_Load(host, address, int(port), int(rate), path).run())))
