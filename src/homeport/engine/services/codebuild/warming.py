"""Making the build image when a project is made that will want it, so that the first build need not wait."""

from __future__ import annotations

import asyncio
import logging

from homeport.engine.containers import base_images, recipes
from homeport.engine.containers.errors import DockerRefused, DockerUnavailable
from homeport.engine.services.engine import Engine

log = logging.getLogger(__name__)


class Warming:
    """The image that is being made ahead, if any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def want(self, image: str) -> None:
        """Begin, if a build in this image would run in homeport's own."""
        if image.startswith("aws/codebuild/") and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._make(), name="warm the build image")

    async def _make(self) -> None:
        try:
            await base_images.ensure(self._engine.docker.images, recipes.BUILD, log.info)
        except (base_images.CannotMake, DockerUnavailable, DockerRefused) as error:
            log.info("the build image is not made ahead: %s", error)

    async def stop(self) -> None:
        """Leave it to the first build."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
