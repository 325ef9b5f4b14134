"""A load that forgives nothing: keep-alive connections over raw sockets, no retry, every answer counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class StrictLoad:
    """`async with StrictLoad(port):` sends requests all the time; afterwards `errors` must be empty.

    Only a connection that the server announced to close (`connection: close`) is opened anew.
    """

    port: int
    path: str = "/"
    host: str = "app.localhost"
    connections: int = 8
    pause: float = 0.002
    answers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    _stop: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> StrictLoad:
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self.connections)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop = True
        await asyncio.gather(*self._tasks)

    async def until(self, answers: int) -> None:
        """Until that many answers came."""
        async with asyncio.timeout(60):
            while self.answers.total() < answers:
                await asyncio.sleep(0.02)

    async def _client(self) -> None:
        request = f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()
        while not self._stop:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                closed = False
                while not (self._stop or closed):
                    closed = await self._exchange(reader, writer, request)
                    await asyncio.sleep(self.pause)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.errors.append(repr(error))
            finally:
                writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> bool:
        """One request; true when the server closes the connection after it."""
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = (await reader.readexactly(length)).decode()
        if " 200 " not in head.split("\r\n")[0]:
            self.errors.append(head.split("\r\n")[0])
        self.answers[body] += 1
        return "connection: close" in head
