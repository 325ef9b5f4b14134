"""Public images for the Docker daemons of builds: `FROM python:3.11-slim` in a Dockerfile.

A build's daemon is told that this is a mirror of Docker Hub, and public.ecr.aws leads here too. An image comes from
the host's Docker, which pulls it if it can; where it cannot, homeport's own equivalent takes its place. So each image
is pulled once on a machine, however many builds use it, and a machine without a way to a registry builds all the same.

<data>/mirror/
  <image id>.json          the manifest of an image that was asked for
  sha256/<2 hex>/<64 hex>  its layers and its configuration
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.errors import DockerUnavailable, PullFailed
from homeport.engine.services.codebuild.container import MIRROR_HOST, PUBLIC_HOST
from homeport.engine.services.codebuild.transfer import read
from homeport.engine.services.engine import Engine
from homeport.engine.store.blobs import Blobs
from homeport.engine.wire import http
from homeport.engine.wire.http import AsgiApp, Response

log = logging.getLogger(__name__)

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")
FOLDER = "mirror"


class Manifest(NamedTuple):
    """An image's manifest as it goes over the wire."""

    digest: str
    content: bytes


class NotHere(Exception):
    """The image cannot be had; the text says why."""


def mounts() -> dict[str, Any]:
    """The mirror under its names."""
    return {
        f"//{host}/v2": lambda engine, host=host: _app(engine, host) for host in (MIRROR_HOST, PUBLIC_HOST)
    }


class Mirror:
    """The images of one engine that were asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._folder = engine.folder(FOLDER)
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.blobs = Blobs(self._folder)

    async def manifest(self, image: str) -> Manifest:
        """The manifest of an image; its blobs are there when this returns. Raises NotHere."""
        async with self._alone[image]:
            local = await self._provide(image)
            found = await self._engine.docker.images.inspect(local)
            assert found is not None
            file = self._folder / f"{found['Id'].partition(':')[2]}.json"
            if not file.exists():
                await self._save(local, file)
            content = file.read_bytes()
            return Manifest(_digest(content), content)

    def by_digest(self, digest: str) -> Manifest | None:
        """A manifest that was given out before."""
        for file in self._folder.glob("*.json"):
            if _digest(content := file.read_bytes()) == digest:
                return Manifest(digest, content)
        return None

    async def _provide(self, image: str) -> str:
        """The name under which the host's Docker has the image."""
        images = self._engine.docker.images
        if await images.inspect(image):
            return image
        try:
            await images.pull(image)
            return image
        except PullFailed as error:
            recipe = recipes.stand_in(image)
            if recipe is None:
                raise NotHere(
                    f"{image} cannot be pulled ({error.message}), and homeport has no equivalent"
                ) from None
        try:
            return await base_images.ensure(images, recipe)
        except base_images.CannotMake as error:
            raise NotHere(str(error)) from None

    async def _save(self, image: str, file: Path) -> None:
        archive = file.with_suffix(".tar")
        try:
            with archive.open("wb") as target:
                await self._engine.docker.images.save(image, target)
            content = await asyncio.to_thread(_take_apart, archive, self._folder)
        finally:
            archive.unlink(missing_ok=True)
        temporary = file.with_suffix(".new")
        temporary.write_bytes(content)
        temporary.replace(file)


def _take_apart(archive: Path, folder: Path) -> bytes:
    """Put the layers and the configuration of a saved image in their places and return its manifest."""
    with tarfile.open(archive) as tar:
        (described, *_) = json.loads(_content(tar, "manifest.json"))
        config = _content(tar, described["Config"])
        layers = [_place(tar, name, folder) for name in described["Layers"]]
    target = _blob(folder, _digest(config))
    target.write_bytes(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": _LAYER, "size": size, "digest": digest} for digest, size in layers],
    }
    return json.dumps(manifest, separators=(",", ":")).encode()


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


def _place(tar: tarfile.TarFile, name: str, folder: Path) -> tuple[str, int]:
    member = tar.getmember(name)
    if member.issym() or member.islnk():
        member = tar.getmember(str(Path(name).parent.joinpath(member.linkname)))
    source = tar.extractfile(member)
    assert source is not None
    temporary, digest, size = (
        folder / f"{hashlib.sha256(name.encode()).hexdigest()}.layer",
        hashlib.sha256(),
        0,
    )
    with temporary.open("wb") as target:
        while chunk := source.read(1024 * 1024):
            digest.update(chunk)
            target.write(chunk)
            size += len(chunk)
    named = f"sha256:{digest.hexdigest()}"
    temporary.replace(_blob(folder, named))
    return named, size


def _blob(folder: Path, digest: str) -> Path:
    value = digest.partition(":")[2]
    target = folder / "sha256" / value[:2] / value
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _app(engine: Engine, host: str) -> AsgiApp:
    async def app(scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        request = http.request(scope, receive)
        try:
            response = await _answer(engine.part(Mirror), host, request)
        except (NotHere, DockerUnavailable) as error:
            log.info("%s", error)
            response = _error(404, "MANIFEST_UNKNOWN", str(error))
        except http.Disconnected:
            return
        await response.send(send, head=request.method == "HEAD")

    return app


async def _answer(mirror: Mirror, host: str, request: http.Request) -> Response:
    if request.path.rstrip("/") == "/v2":
        return Response(200, {"content-type": "application/json"}, b"{}")
    found = _PATH.fullmatch(request.path)
    if found is None or request.method not in ("GET", "HEAD"):
        return _error(405, "UNSUPPORTED", "This registry can be pulled from only")
    name, reference = found["name"], found["reference"]
    if found["kind"] == "blobs":
        return _blob_response(mirror, reference)
    if reference.startswith("sha256:"):
        known = mirror.by_digest(reference)
    else:
        prefix = "" if host == MIRROR_HOST else f"{host}/"
        known = await mirror.manifest(
            f"{prefix}{name.removeprefix('library/') if not prefix else name}:{reference}"
        )
    if known is None:
        raise NotHere(f"{name}@{reference} is not here")
    headers = {
        "content-type": _MANIFEST,
        "docker-content-digest": known.digest,
        "content-length": str(len(known.content)),
    }
    return Response(200, headers, known.content)


def _blob_response(mirror: Mirror, digest: str) -> Response:
    try:
        size = mirror.blobs.size(digest)
    except (ValueError, FileNotFoundError):
        return _error(404, "BLOB_UNKNOWN", f"{digest} is not here")
    headers = {
        "content-type": "application/octet-stream",
        "docker-content-digest": digest,
        "content-length": str(size),
    }
    return Response(200, headers, read(mirror.blobs.path(digest)))


def _error(status: int, code: str, message: str) -> Response:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Response(status, {"content-type": "application/json"}, body)
