"""Ending tasks: the engine's stop and reset take a bounded time, whatever a task does when it is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

log = logging.getLogger(__name__)

_PATIENCE = 5.0
_TRIES = 3


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait until they have ended. One that does not end is cancelled again and, in the end, left
    to itself: that is a bug, which the log tells with the place where it waits."""
    left = set(tasks)
    for _ in range(_TRIES):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_PATIENCE)
    for task in left:
        frames = "; ".join(f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack())
        log.error("%s does not end when it is cancelled: it waits in %s", task.get_name(), frames)
