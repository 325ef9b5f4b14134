"""The web server in the command's process. It ends soon when it is told to: open pages do not hold it."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn


def server(app: Any) -> Any:
    """A server without a log, as addresses have tokens in them."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )


def serve(app: Any, listener: socket.socket) -> None:
    """Serve until a signal."""
    server(app).run(sockets=[listener])
