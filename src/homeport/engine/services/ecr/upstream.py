"""A client of other registries, for pull-through caches: manifests and blobs, with whatever challenge they pose.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp

from homeport.engine.config import Config
from homeport.engine.services.ecr.manifests import INDEXES, LARGEST, MANIFESTS
from homeport.engine.wire.errors import AwsError

_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=30, sock_read=120)


class Credentials(NamedTuple):
    """User name and access token of an upstream registry."""

    user: str
    password: str


class Upstream:
    """One registry, for the time of a pull."""

    def __init__(self, session: aiohttp.ClientSession, host: str, credentials: Credentials | None) -> None:
        self._session = session
        self._host = host
        self._base = f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}"
        self._credentials = credentials
        self._authorization: dict[str, str] = {}

    async def manifest(self, repository: str, reference: str) -> tuple[bytes, str]:
        """A manifest and its media type. Raises UnableToGetUpstreamImageException."""
        accept = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
        async with self._get(f"/v2/{repository}/manifests/{reference}", accept) as response:
            if response.status != 200:
                raise AwsError(
                    "UnableToGetUpstreamImageException",
                    f"{self._host} answered {response.status} for {repository}:{reference}",
                )
            data = b""
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > LARGEST:
                    raise AwsError(
                        "UnableToGetUpstreamImageException",
                        f"{self._host} answered more than {LARGEST} bytes for {repository}:{reference}",
                    )
            return data, response.content_type

    async def blob(self, repository: str, digest: str) -> AsyncIterator[bytes]:
        """The bytes of a blob. Raises UnableToGetUpstreamLayerException."""
        async with self._get(f"/v2/{repository}/blobs/{digest}", {}) as response:
            if response.status != 200:
                raise AwsError(
                    "UnableToGetUpstreamLayerException",
                    f"{self._host} answered {response.status} for {repository}@{digest}",
                )
            async for chunk in response.content.iter_chunked(256 * 1024):
                yield chunk

    async def ping(self) -> int:
        """The status of the registry's root: 200 when it takes the credentials."""
        async with self._get("/v2/", {}) as response:
            return response.status

    @asynccontextmanager
    async def _get(self, path: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and once more with what the challenge asks for. Errors of the network become AwsErrors."""
        try:
            response = await self._session.get(self._base + path, headers=headers | self._authorization)
            if response.status == 401 and (challenge := response.headers.get("www-authenticate")):
                response.release()
                self._authorization = await self._meet(challenge)
                response = await self._session.get(self._base + path, headers=headers | self._authorization)
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError) as error:
            raise AwsError(
                "UnableToGetUpstreamImageException", f"{self._host} cannot be reached: {error}"
            ) from None
        async with response:
            yield response

    async def _meet(self, challenge: str) -> dict[str, str]:
        scheme, _, rest = challenge.partition(" ")
        basic = aiohttp.BasicAuth(*self._credentials) if self._credentials else None
        if scheme.lower() != "bearer":
            return {"Authorization": basic.encode()} if basic else {}
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.pop("realm", "")
        async with self._session.get(realm, params=parameters, auth=basic) as response:
            answer = await response.json() if response.status == 200 else {}
        token = answer.get("token") or answer.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else {}


@asynccontextmanager
async def open_upstream(
    config: Config, host: str, credentials: Credentials | None
) -> AsyncIterator[Upstream]:
    """A client of the registry at `host`, through the host's proxy and with its CA bundle."""
    tls = ssl.create_default_context(cafile=str(config.ca_bundle) if config.ca_bundle else None)
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector, trust_env=True, timeout=_TIMEOUT) as session:
        yield Upstream(session, host, credentials)
