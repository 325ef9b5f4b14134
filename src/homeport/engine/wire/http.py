"""An HTTP request and response as the wire sees them: raw paths, lower-case header names, streamed bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request body that is not streamed; more is refused."""


class BodyTooLarge(Exception):
    """The body has more than the allowed bytes."""


class Disconnected(Exception):
    """The client went away in the middle of its request."""


@dataclass(slots=True)
class Request:
    """One request. `raw_path` is as sent (percent-encoded), `path` decoded; `query` keeps order and repeats."""

    method: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    client: str
    secure: bool
    receive: Receive
    query: list[tuple[str, str]] = field(default_factory=list)
    read: bool = False

    @property
    def has_unread_body(self) -> bool:
        """Whether bytes of the body may still come: what answers before that must close the connection, since a
        client that waited for `100 Continue` never sends them."""
        return not self.read and (
            self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        )

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    def parameter(self, name: str) -> str | None:
        """The first query parameter of that name."""
        return next((value for key, value in self.query if key == name), None)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body's bytes as they arrive. Raises Disconnected."""
        while not self.read:
            if chunk := await self._part():
                yield chunk

    async def body(self, limit: int = MAX_BODY) -> bytes:
        """The whole body. Raises BodyTooLarge, Disconnected."""
        chunks, size = [], 0
        while not self.read:
            chunks.append(await self._part())
            size += len(chunks[-1])
            if size > limit:
                raise BodyTooLarge
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _part(self) -> bytes:
        """The next bytes of the body, which may be none."""
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        self.read = not message.get("more_body")
        return bytes(message.get("body", b""))


@dataclass(slots=True)
class Response:
    """One response; a body of unknown length is an iterator."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""

    async def send(self, send: Send, head: bool = False) -> None:
        """Send it; for `head` the body is left out, its length is kept."""
        whole = self.body if isinstance(self.body, bytes) else None
        if whole is not None and "content-length" not in self.headers and self.status not in (204, 304):
            self.headers["content-length"] = str(len(whole))
        headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if head or whole is not None:
            await send({"type": "http.response.body", "body": b"" if head else whole})
            return
        assert not isinstance(self.body, bytes)
        async for chunk in self.body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def request(scope: Scope, receive: Receive) -> Request:
    """The request of an ASGI scope."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:  # whose names ASGI has in lower case
        name, value = raw_name.decode("latin-1"), raw_value.decode("utf-8", "surrogateescape").strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = scope["query_string"].decode("latin-1")
    return Request(
        method=scope["method"],
        raw_path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0],
        raw_query=query,
        headers=headers,
        client=(scope.get("client") or ("",))[0],
        secure=scope["scheme"] == "https",
        receive=receive,
        query=parse_qsl(query, keep_blank_values=True, max_num_fields=1000) if query else [],
    )
