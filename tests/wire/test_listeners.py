"""Answers as they reach a client of the engine's sockets: whole, in parts, big, and those of requests that wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from homeport.engine.listeners import Listeners, bind
from homeport.engine.wire.http import Receive, Response, Scope, Send, request

BIG = b"z" * 3_000_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    asked = request(scope, receive)
    body = await asked.body()
    answers: dict[str, Any] = {
        "/whole": body or b"whole",
        "/parts": _parts(),
        "/big": BIG,
    }
    await Response(body=answers[asked.path]).send(send, head=asked.method == "HEAD")


async def _parts() -> AsyncIterator[bytes]:
    for part in (b"one", b"two"):
        yield part
        await asyncio.sleep(0.05)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listening = bind("127.0.0.1", 0)
    listeners = Listeners(app)
    listeners.serve(listening)
    yield listening.getsockname()[1]
    await listeners.close()


async def test_answers_of_every_kind_come_over_one_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(method: str, path: str) -> bytes:
        writer.write(f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        return await reader.readuntil(b"\r\n\r\n")

    assert b"content-length: 5\r\n" in await ask("HEAD", "/whole")
    await ask("GET", "/whole")
    assert await reader.readexactly(5) == b"whole"
    await ask("GET", "/parts")
    assert await reader.readuntil(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    await ask("GET", "/big")
    assert await reader.readexactly(len(BIG)) == BIG
    writer.close()


async def test_a_client_that_waits_to_be_told_to_go_on_is_told(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PUT /whole HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"body")
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(4) == b"body"
    writer.close()
