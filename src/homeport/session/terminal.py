"""The user's end of a session: standard input and output joined to a command in a container."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import termios
import threading
import tty
from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from homeport.session import messages
from homeport.session.messages import CLOSED, DATA, INPUT, OUTPUT, Malformed, Message

_CHUNK = 4096


def join(url: str, token: str) -> None:
    """Open the session and stay in it until its command ends."""
    with connect(url) as channel, _raw_input():
        channel.send(messages.opening(token))
        columns, rows = shutil.get_terminal_size()
        channel.send(messages.size(rows, columns, 0))
        threading.Thread(target=_type, args=(channel,), daemon=True).start()
        _show(channel)


def _show(channel: ClientConnection) -> None:
    for data in channel:
        try:
            message = messages.decode(data if isinstance(data, bytes) else data.encode())
        except Malformed:
            continue
        if message.type == OUTPUT:
            with contextlib.suppress(
                ConnectionClosed
            ):  # the command has ended; what it wrote is still to be shown
                channel.send(messages.acknowledgement(message))
            if message.payload_type == DATA:
                sys.stdout.buffer.write(message.payload)
                sys.stdout.buffer.flush()
        elif message.type == CLOSED:
            return


def _type(channel: ClientConnection) -> None:
    sequence = 1
    with contextlib.suppress(ConnectionClosed):
        while data := os.read(sys.stdin.fileno(), _CHUNK):
            channel.send(messages.encode(Message(INPUT, sequence, data, DATA)))
            sequence += 1


@contextlib.contextmanager
def _raw_input() -> Iterator[None]:
    """Every key goes to the command as it is typed; the terminal is put right afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin.fileno())
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
