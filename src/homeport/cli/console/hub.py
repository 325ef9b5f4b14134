"""One poller for all pages that show the same thing: it begins with the first listener and ends with the last."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

GRACE = 2.0
"""Seconds that a poller goes on without a listener: a page that is loaded again finds what was there."""

STILL = 15.0
"""Seconds after which a listener is told that there is nothing new, so that one that has gone is noticed."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a page is told: an event with a JSON value."""

    event: str
    data: object


class Source(ABC):
    """What is polled. `emit` in `run` reaches all listeners; `past` is what one that comes later is told first."""

    def __init__(self) -> None:
        self.listeners: set[asyncio.Queue[Message]] = set()

    @abstractmethod
    async def run(self) -> None:
        """Poll until there is no more to be told, or until cancelled."""

    @abstractmethod
    def past(self) -> list[Message]:
        """What a new listener is told."""

    def emit(self, message: Message) -> None:
        """Tell all listeners."""
        for each in self.listeners:
            each.put_nowait(message)


@dataclass
class Hub:
    """The sources that pages listen to, by their keys."""

    sources: dict[tuple[str, ...], Source] = field(default_factory=dict)
    _tasks: dict[tuple[str, ...], asyncio.Task[None]] = field(default_factory=dict)

    async def listen(self, key: tuple[str, ...], make: Callable[[], Source]) -> AsyncIterator[Message]:
        """What a source tells; it is made and polled when nobody listened to it."""
        source = self.sources.get(key)
        if source is None:
            source = self.sources[key] = make()
            self._tasks[key] = asyncio.create_task(source.run())
        queue: asyncio.Queue[Message] = asyncio.Queue()
        source.listeners.add(queue)
        try:
            for message in source.past():
                yield message
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), STILL)
                except TimeoutError:
                    yield Message("still", None)
        finally:
            source.listeners.discard(queue)
            if not source.listeners:
                asyncio.get_running_loop().call_later(GRACE, self._end, key, source)

    def _end(self, key: tuple[str, ...], source: Source) -> None:
        if not source.listeners and self.sources.get(key) is source:
            del self.sources[key]
            self._tasks.pop(key).cancel()


async def in_thread(work: Callable[[], T]) -> T:
    """What a blocking function returns, from a daemon thread: one that waits for AWS does not hold up the end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, failed)

    threading.Thread(target=run, daemon=True).start()
    return await future
