"""Targets in the test's own process: small HTTP servers that say their name."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from homeport.engine.proxy.model import Target


@dataclass
class TestTarget:
    """Answers every path with its name, `/slow` after `slow` seconds, `/health` with `health_status`."""

    __test__ = False
    name: str
    slow: float = 0.5
    health_status: int = 200
    seen: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> TestTarget:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """What SIGKILL does: no more listening, all connections cut."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()
        await self._server.wait_closed()

    def registered(self, draining: bool = False) -> Target:
        return Target("127.0.0.1", self.port, draining=draining)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split()[1]
                status = self.health_status if path == "/health" else 200
                if path != "/health":
                    self.seen.append(head)
                if path == "/slow":
                    await asyncio.sleep(self.slow)
                body = self.name.encode()
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
                await writer.drain()
        self._connections.discard(writer)
        writer.close()
