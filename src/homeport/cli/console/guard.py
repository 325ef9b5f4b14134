"""Who may see the page and act by it: the person who was told its address, and no page of another origin.

- The token in the address that the terminal shows becomes a cookie, which scripts cannot read and other sites cannot
  send. Nothing is answered without it. It is of a path that nobody knows, as cookies know no ports: another program of
  this machine that is visited at 127.0.0.1 is not handed it.
- The Host header must name this machine, so that a foreign name that was pointed here (DNS rebinding) gets nothing.
- What another origin makes the browser ask for is refused by Sec-Fetch-Site, and a POST must carry the page's own
  Origin: another program's page on this machine is the same site, but not the same origin.
- Nothing foreign is loaded or run (Content-Security-Policy), and nothing may frame the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "homeport-console"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_ENTER = (
    '<!doctype html><meta charset="utf-8"><title>homeport</title><link rel="icon" href="{root}/static/icon.svg">'
    '<meta http-equiv="refresh" content="0;url={root}/">'
)
"""The way in is a page, not a redirect: a browser that came from another site sends the cookie only from here on."""


class Guard:
    """Lets requests through to the app. A ticket opens once, the token always."""

    def __init__(self, app: App, host: str, token: str, ticket: str = "") -> None:
        self._app = app
        self._hosts = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
        self._token = token
        self._ticket = ticket
        self._root = f"/{secrets.token_urlsafe(16)}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        answer = _Answer(send)
        if refused := self._refused(scope["method"], headers):
            await answer.text(403, refused)
            return
        shown = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and shown and self._is_known(shown):
            cookie = f"{COOKIE}={self._token}; Path={self._root}; HttpOnly; SameSite=Strict"
            await answer.text(
                200, _ENTER.format(root=self._root), "text/html; charset=utf-8", {"Set-Cookie": cookie}
            )
            return
        if not (scope["path"].startswith(f"{self._root}/") and _same(_cookie(headers), self._token)):
            await answer.text(401, "Open the address that `homeport console` shows in its terminal.\n")
            return
        await self._app({**scope, "root_path": self._root}, receive, answer)

    def _refused(self, method: str, headers: dict[str, str]) -> str:
        """Why a request is not looked at; empty when it is."""
        host = headers.get("host", "")
        if host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            return f"This page is not served under the name {host!r}.\n"
        site = headers.get("sec-fetch-site", "none")
        entering = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("none", "same-origin") and not entering:
            return "Another site asked for this.\n"
        if method not in ("GET", "HEAD") and headers.get("origin") != f"http://{host}":
            return "Another origin asked for this.\n"
        return ""

    def _is_known(self, shown: str) -> bool:
        if self._ticket and _same(shown, self._ticket):
            self._ticket = ""
            return True
        return _same(shown, self._token)


class _Answer:
    """Sends an answer with the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name in HEADERS}
            kept = [each for each in message.get("headers", []) if each[0].decode().lower() not in own]
            message = {**message, "headers": [*kept, *_encoded(HEADERS)]}
        await self._send(message)

    async def text(
        self,
        status: int,
        text: str,
        kind: str = "text/plain; charset=utf-8",
        more: dict[str, str] | None = None,
    ) -> None:
        body = text.encode()
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}
        await self({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
        await self({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _cookie(headers: dict[str, str]) -> str:
    pairs = (each.strip().partition("=") for each in headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _same(shown: str, known: str) -> bool:
    return secrets.compare_digest(shown.encode(), known.encode())
