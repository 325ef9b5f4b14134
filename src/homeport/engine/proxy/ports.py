"""Which port of this machine stands for a load balancer's port.

The same one if it can be had. A port that needs privileges, or that another program holds, is replaced:
80 by 8080, 443 by 8443 (8000 more), else by any free one.
"""

from __future__ import annotations

import socket
from collections.abc import Collection


def choose_port(wanted: int, taken: Collection[int] = (), addresses: tuple[str, ...] = ("127.0.0.1",)) -> int:
    """A port that Envoy will be able to bind; `taken` are those that it has bound for others already."""
    for port in (wanted, 8000 + wanted):
        if port < 65536 and port not in taken and bindable(port, addresses):
            return port
    while True:
        with socket.socket() as probe:
            probe.bind((addresses[0], 0))
            port = probe.getsockname()[1]
        if port not in taken and bindable(port, addresses):
            return port


def bindable(port: int, addresses: tuple[str, ...] = ("127.0.0.1",)) -> bool:
    """Whether the port is free on all of these addresses and we may have it.

    Asked without SO_REUSEPORT, so that the Envoy of another engine counts as an occupant.
    """
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
