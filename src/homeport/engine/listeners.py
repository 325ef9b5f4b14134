"""The sockets of an engine: loopback from the start, those for containers when the first container needs them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from homeport.engine.wire.http import AsgiApp

BACKLOG = 2048
MOST_GATHERED = 32 * 1024
"""Bytes of an answer beyond which they are not kept for others."""


class PortTaken(Exception):
    """The address is in use by another process."""


class Listeners:
    """Serves one ASGI application on several sockets."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    def serve(self, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Answer on a socket from now on."""
        factory: Callable[..., ssl.SSLContext] | None = (lambda *_: tls) if tls else None
        config = uvicorn.Config(
            self._app,
            loop="none",
            http=_Connection,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            ssl_context_factory=factory,
        )
        server = uvicorn.Server(config)
        # signals are the composition root's: it stops all servers together
        task = asyncio.get_running_loop().create_task(server._serve([listening]), name="listener")
        self._servers.append((server, task))

    async def close(self) -> None:
        """Finish the requests that are being answered and close the sockets."""
        for server, _ in self._servers:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._servers), return_exceptions=True)


class _Connection(HttpToolsProtocol):  # type: ignore[misc]  # httptools, beneath it, has no types
    """uvicorn's, but that an answer's head and body go out together: uvicorn writes each by itself, which wakes the
    client for half an answer and costs as much as all else that it does."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(cast(asyncio.Transport, _Gathering(transport, self.loop)))

    def on_response_complete(self) -> None:
        cast(_Gathering, self.transport).flush()
        super().on_response_complete()


class _Gathering:
    """A transport that keeps what is written until all is there, but not beyond the event loop's turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > MOST_GATHERED:
            self.flush()
        elif len(self._parts) == 1:
            self._loop.call_soon(self.flush)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def flush(self) -> None:
        parts, self._parts, self._size = self._parts, [], 0
        if parts and not self._transport.is_closing():
            self._transport.writelines(parts)


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"{host}:{port} cannot be listened on: {error.strerror}") from None
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
