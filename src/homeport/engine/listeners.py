"""The sockets of an engine: loopback from the start, those for containers when the first container needs them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import uvicorn

from homeport.engine.wire.http import AsgiApp

BACKLOG = 2048


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
            http="httptools",
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
