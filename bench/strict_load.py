"""Clients that forgive nothing: keep-alive connections that never retry, from a process of their own, so that what
measures does not wait for them.

with strict_load.sent(port, host, "/", rate=500) as answers:
    …
print(len(answers))  # filled when the block has ended
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import random
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

CONNECTIONS = 20


class Answer(NamedTuple):
    """One request: when it was sent and answered (seconds since the epoch), the status (0: none came), the body,
    and what went wrong with the connection, if something did."""

    sent: float
    answered: float
    status: int
    body: str
    error: str

    @property
    def failed(self) -> bool:
        return self.status != 200


class Target(NamedTuple):
    """Where requests go; `interval` is the pause from one request of a connection to its next, in seconds."""

    port: int
    host: str
    path: str
    connections: int
    interval: float


@contextlib.contextmanager
def sent(
    port: int, host: str, path: str = "/", *, rate: float = 0.0, connections: int = CONNECTIONS
) -> Iterator[list[Answer]]:
    """Send `rate` requests a second while the block runs, or one after the other on each connection if it is 0."""
    target = Target(port, host, path, connections, connections / rate if rate else 0.0)
    answers: list[Answer] = []
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Event(), spawn.Queue()
    process = spawn.Process(target=_send_all, args=(target, stop, results), daemon=True)
    process.start()
    try:
        yield answers
    finally:
        stop.set()
        answers += [Answer(*each) for each in results.get(timeout=60)]
        process.join()


def _send_all(target: Target, stop: Event, results: Any) -> None:
    answers: list[Answer] = []

    async def clients() -> None:
        await asyncio.gather(*(_client(target, stop, answers) for _ in range(target.connections)))

    asyncio.run(clients())
    results.put([tuple(answer) for answer in answers])


async def _client(target: Target, stop: Event, answers: list[Answer]) -> None:
    request = f"GET {target.path} HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
    due = time.time() + random.uniform(0, target.interval)
    while not stop.is_set():
        began = time.time()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        except OSError as error:
            answers.append(Answer(began, time.time(), 0, "", repr(error)))
            await asyncio.sleep(0.1)
            continue
        try:
            while not stop.is_set():
                await asyncio.sleep(max(0.0, due - time.time()))
                due = max(due + target.interval, time.time() - 1)
                began = time.time()
                status, body, last = await _exchange(reader, writer, request)
                answers.append(Answer(began, time.time(), status, body, ""))
                if last:
                    break
        except (OSError, asyncio.IncompleteReadError) as error:
            answers.append(Answer(began, time.time(), 0, "", repr(error)))
        finally:
            writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, str, bool]:
    """The status, the body, and whether the server closes the connection now."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body = (await reader.readexactly(length)).decode()
    return int(head.split(" ", 2)[1]), body, "connection: close" in head
