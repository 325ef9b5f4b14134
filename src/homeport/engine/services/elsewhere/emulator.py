"""An emulator that the user names (HOMEPORT_EMULATOR=http://…) in moto's place."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.elsewhere import requests
from homeport.engine.wire.call import Call
from homeport.engine.wire.errors import AwsError
from homeport.engine.wire.http import Request, Response

_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "content-encoding", "server", "date")


class Emulator:
    """Hands calls on to a URL. Its state is its own: an engine's reset does not reach it."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def answer(self, request: Request, body: bytes, call: Call) -> Response:
        """The emulator's answer. Raises AwsError 503 when it does not answer."""
        import aiohttp
        from yarl import URL

        query = f"?{request.raw_query}" if request.raw_query else ""
        url = URL(f"{self._url}{request.raw_path}{query}", encoded=True)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.request(
                    request.method, url, headers=headers, data=body, allow_redirects=False
                ) as answer,
            ):
                content = await answer.read()
        except aiohttp.ClientError as error:
            raise AwsError(
                "ServiceUnavailable",
                f"The emulator at {self._url} does not answer for {call.service}: {error}",
                503,
            ) from None
        kept = {
            name.lower(): value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
        }
        return Response(answer.status, {**kept, requests.SERVICE_HEADER: self._url}, content)

    async def invoke(self, call: Call) -> dict[str, Any]:
        """Answer a call of another service. Raises AwsError."""
        request, body = await requests.to_http(call)
        return requests.from_http(await self.answer(request, body, call), call)

    async def reset(self) -> None:
        """Nothing of it is this engine's."""
