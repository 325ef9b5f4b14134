"""Which port of this machine stands for a load balancer's port.

The same one if it can be had. A port that needs privileges, or that another program holds, is replaced:
80 by 8080, 443 by 8443 (8000 more), else by any free one. Between the choice and the moment when Envoy listens, a lock
file keeps the engines of one user from choosing the same; it is the kernel's, so that a killed engine claims nothing.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Collection
from pathlib import Path


class Claims:
    """The ports that one engine has chosen and Envoy does not listen on yet."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"homeport-{os.getuid()}-ports"
        self._held: dict[int, int] = {}

    def choose(self, wanted: int, taken: Collection[int] = ()) -> int:
        """Claim a port that Envoy will be able to bind; `taken` are those that it has bound for others already."""
        for port in (wanted, 8000 + wanted):
            if port < 65536 and port not in taken and self.claim(port):
                return port
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in taken and self.claim(port):
                return port

    def claim(self, port: int) -> bool:
        """Keep other engines from this port; False when one of them has it, or anybody has bound it."""
        if port not in self._held:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(self._folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            self._held[port] = file
        if bindable(port):
            return True
        self.release([port])
        return False

    def release(self, ports: Collection[int]) -> None:
        """Envoy listens there: whoever looks finds the ports bound."""
        for port in ports:
            if port in self._held:
                os.close(self._held.pop(port))


def bindable(port: int, addresses: tuple[str, ...] = ("127.0.0.1",)) -> bool:
    """Whether the port is free on all of these addresses and we may have it."""
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
