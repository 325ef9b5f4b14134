"""The connection to the Docker Engine API, made when it is first needed.

aiodocker finds the daemon (DOCKER_HOST, contexts, sockets) and speaks the upgraded streams; plain calls go
through here, so that every error of Docker becomes one of `errors.py` in one place.
https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from homeport.engine.containers.errors import DockerRefused, DockerUnavailable, NoSuchContainer, NoSuchImage

if TYPE_CHECKING:
    import aiodocker
    import aiohttp

Params = Mapping[str, str | int] | Sequence[tuple[str, str]]


class Client:
    """A lazily opened connection pool to one Docker daemon."""

    def __init__(self) -> None:
        self._docker: aiodocker.Docker | None = None
        self._opening = asyncio.Lock()

    async def docker(self) -> aiodocker.Docker:
        """The open client. Raises DockerUnavailable."""
        if self._docker is None:
            async with self._opening:
                if self._docker is None:
                    self._docker = await _connect()
        return self._docker

    async def call(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Any = None,
        data: bytes | BinaryIO | None = None,
    ) -> Any:
        """Call the API and return its JSON answer (None for an empty one)."""
        async with self.stream(method, path, params, body, data) as response:
            content = await response.read()
        return json.loads(content) if content and response.content_type == "application/json" else None

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Any = None,
        data: bytes | BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Call the API and hand the open response over. Raises DockerRefused or DockerUnavailable."""
        import aiohttp

        docker = await self.docker()
        url = f"{_base(docker)}/{docker.api_version}/{path}"
        content: dict[str, Any] = {"json": body} if body is not None else {}
        if data is not None:
            content = {"data": io.BytesIO(data) if isinstance(data, bytes) else data}
        try:
            async with docker.session.request(
                method, url, params=params, headers=headers, timeout=aiohttp.ClientTimeout(), **content
            ) as response:
                if response.status >= 400:
                    raise _refused(response.status, await response.text())
                yield response
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise DockerUnavailable(str(error)) from error

    async def close(self) -> None:
        """Close the connections; containers go on."""
        if self._docker is not None:
            docker, self._docker = self._docker, None
            await _close(docker)


async def _connect() -> aiodocker.Docker:
    import aiodocker
    import aiohttp

    try:
        docker = aiodocker.Docker()
    except (AssertionError, ValueError, aiodocker.DockerContextError) as error:
        raise DockerUnavailable(str(error) or "there is no Docker socket on this machine") from error
    if isinstance(docker.connector, aiohttp.UnixConnector):
        # every followed log holds a connection, so the pool must not have aiohttp's limit of 100
        path = docker.connector.path
        await docker.close()
        docker = aiodocker.Docker("http://localhost", connector=aiohttp.UnixConnector(path, limit=0))
    try:
        async with docker.session.get(f"{_base(docker)}/version") as version:
            docker.api_version = f"v{(await version.json())['ApiVersion']}"
    except (aiohttp.ClientError, OSError) as error:
        await _close(docker)
        raise DockerUnavailable(str(error)) from error
    return docker


async def _close(docker: aiodocker.Docker) -> None:
    await docker.close()
    await docker.connector.close()


def _base(docker: aiodocker.Docker) -> str:
    return docker.docker_host.replace("unix://", "http://").replace("tcp://", "http://")


def _refused(status: int, text: str) -> DockerRefused:
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        message = text.strip()
    if status == 404 and "o such container" in message:
        return NoSuchContainer(status, message)
    if status == 404 and "o such image" in message:
        return NoSuchImage(status, message)
    return DockerRefused(status, message)
