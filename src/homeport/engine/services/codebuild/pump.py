"""Following a build's container: what it writes goes to the transcript, and on to the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from homeport.engine.containers.errors import DockerUnavailable, NoSuchContainer
from homeport.engine.containers.logs import Line
from homeport.engine.services.codebuild import container, transcript
from homeport.engine.services.codebuild.environment import Mask
from homeport.engine.services.codebuild.log_stream import LogStream
from homeport.engine.services.codebuild.tables import Row
from homeport.engine.services.context import Context

log = logging.getLogger(__name__)

_GATHER = 0.03
"""Seconds that lines are gathered before they are written."""
_AT_MOST = 2_000


async def follow(ctx: Context, build: Row, mask: Mask, stream: LogStream, enough: asyncio.Event) -> None:
    """Take over the container's output until the container has ended, or until it is `enough`: the rest is lost."""
    docker = ctx.engine.docker
    name = container.name(docker, build["id"])
    while not enough.is_set():
        after = transcript.position(transcript.get(ctx, build["id"]))
        try:
            await _take(ctx, build, docker.logs(name, after), mask, stream, enough)
            found = await docker.inspect(name)
        except NoSuchContainer:
            return
        except DockerUnavailable as error:
            log.warning("Docker does not answer while %s runs: %s", build["id"], error)
            await asyncio.sleep(1)
            continue
        if found is None:
            return
        if found["State"]["Status"] in ("exited", "dead"):
            # Docker ends the stream with the container, even if it has not handed over everything yet
            after = transcript.position(transcript.get(ctx, build["id"]))
            await _take(ctx, build, docker.logs(name, after, follow=False), mask, stream, enough)
            return
        await asyncio.sleep(0.1)


async def _take(
    ctx: Context,
    build: Row,
    lines: AsyncIterator[Line],
    mask: Mask,
    stream: LogStream,
    enough: asyncio.Event,
) -> None:
    queue: asyncio.Queue[Line | None] = asyncio.Queue(_AT_MOST)

    async def read() -> None:
        failure: Exception | None = None
        try:
            async for line in lines:
                await queue.put(line)
        except Exception as error:
            failure = error
        await queue.put(None)  # not when cancelled: nobody takes from the queue then, and it may be full
        if failure:
            raise failure

    reader = asyncio.create_task(read())
    try:
        more = True
        while more and not enough.is_set():
            gathered = [await queue.get()]
            if gathered[0] is not None:
                await asyncio.sleep(_GATHER)
            while not queue.empty() and len(gathered) < _AT_MOST:
                gathered.append(queue.get_nowait())
            more = None not in gathered
            if taken := [line for line in gathered if line is not None]:
                transcript.take(ctx, build["id"], taken, mask)
                await stream.flush()
        if not more:
            await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
