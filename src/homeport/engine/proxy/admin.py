"""Envoy's admin interface, reached over a Unix socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp


class Admin:
    """A client of the admin interface. Connection errors mean that Envoy does not run."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str) -> Any:
        """The JSON answer of an endpoint."""
        async with self._client().get(f"http://envoy{path}") as answer:
            return json.loads(await answer.read())

    async def post(self, path: str) -> str:
        async with self._client().post(f"http://envoy{path}") as answer:
            return await answer.text()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            connector = aiohttp.UnixConnector(path=str(self.socket))
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=10), raise_for_status=True
            )
        return self._session
