"""Images: pulling them with progress and a classified failure, looking at them, importing small ones."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, BinaryIO

from homeport.engine.containers.client import Client
from homeport.engine.containers.errors import DockerRefused, NoSuchImage, PullFailed, PullReason


class Images:
    """The images of the Docker daemon, shared by all engines of the machine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def inspect(self, image: str) -> dict[str, Any] | None:
        """Docker's record of the image, or None when it is not on this machine."""
        try:
            return await self._client.call("GET", f"images/{image}/json")
        except NoSuchImage:
            return None

    async def pull(
        self,
        image: str,
        *,
        username: str = "",
        password: str = "",
        platform: str = "",
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Pull `host/name@sha256:…` or `host/name:tag`. Raises PullFailed with its reason."""
        params = {"fromImage": image, **({"platform": platform} if platform else {})}
        if "@" not in image and ":" not in image.rpartition("/")[2]:
            params["tag"] = "latest"
        try:
            async for message in self._create(params, username, password, image.partition("/")[0]):
                if error := message.get("error"):
                    raise PullFailed(image, _classify(error), error)
                if status := message.get("status"):
                    progress(f"{message['id']}: {status}" if message.get("id") else status)
        except DockerRefused as error:
            raise PullFailed(image, _classify(error.message), error.message) from error

    async def _create(
        self, params: dict[str, str], username: str, password: str, host: str
    ) -> AsyncIterator[dict[str, Any]]:
        secret = {"username": username, "password": password, "serveraddress": host} if username else {}
        auth = base64.urlsafe_b64encode(json.dumps(secret).encode()).decode()
        async with self._client.stream(
            "POST", "images/create", params, headers={"X-Registry-Auth": auth}
        ) as response:
            async for line in response.content:
                yield json.loads(line)

    async def load(
        self, repository: str, tag: str, tar: bytes | BinaryIO, changes: Sequence[str] = ()
    ) -> None:
        """Make an image of one layer from a tar archive; `changes` are Dockerfile lines (`CMD …`)."""
        query: list[tuple[str, str]] = [("fromSrc", "-"), ("repo", repository), ("tag", tag)]
        query += [("changes", change) for change in changes]
        async with self._client.stream("POST", "images/create", query, data=tar) as response:
            async for line in response.content:
                if error := json.loads(line).get("error"):
                    raise DockerRefused(500, error)

    async def derive(self, base: str, repository: str, tag: str, changes: Sequence[str]) -> None:
        """Make an image that differs from another one by Dockerfile lines (`CMD …`) only."""
        made = await self._client.call("POST", "containers/create", body={"Image": base, "Cmd": ["true"]})
        query: list[tuple[str, str]] = [("container", made["Id"]), ("repo", repository), ("tag", tag)]
        query += [("changes", change) for change in changes]
        try:
            await self._client.call("POST", "commit", query, body={})
        finally:
            await self._client.call("DELETE", f"containers/{made['Id']}")

    async def save(self, image: str, file: BinaryIO) -> None:
        """Write the image with its layers to a file, as `docker save` does."""
        async with self._client.stream("GET", f"images/{image}/get") as response:
            async for chunk in response.content.iter_chunked(1024 * 1024):
                file.write(chunk)

    async def remove(self, image: str) -> None:
        """Remove the image's name, and its layers when nothing else uses them."""
        with contextlib.suppress(NoSuchImage):
            await self._client.call("DELETE", f"images/{image}")


def _classify(message: str) -> PullReason:
    text = message.lower()
    if "not found" in text or "manifest unknown" in text or "no such image" in text:
        return "not found"
    if "denied" in text or "unauthorized" in text or "no basic auth" in text or "forbidden" in text:
        return "denied"
    marks = ("no such host", "connection refused", "timeout", "dial tcp", "deadline exceeded", "tls", "x509")
    if any(mark in text for mark in marks):
        return "unreachable"
    return "other"
