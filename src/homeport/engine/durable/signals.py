"""Wake-ups inside the process. They carry no data: who is woken looks at the rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Signals:
    """Topics, and who waits for them."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def notify(self, topic: str) -> None:
        """Wake everybody who waits for the topic."""
        for event in self._waiting.get(topic, ()):
            event.set()

    def listen(self, topics: Iterable[str]) -> Listener:
        """Hear every notification from now on: `with signals.listen([...]) as heard`."""
        return Listener(self._waiting, tuple(topics))


class Listener:
    """A subscription. Listening starts before the state is looked at, so no change falls between the two."""

    def __init__(self, waiting: defaultdict[str, set[asyncio.Event]], topics: tuple[str, ...]) -> None:
        self._waiting = waiting
        self._topics = topics
        self._event = asyncio.Event()

    def __enter__(self) -> Listener:
        for topic in self._topics:
            self._waiting[topic].add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        for topic in self._topics:
            self._waiting[topic].discard(self._event)
            if not self._waiting[topic]:
                del self._waiting[topic]

    async def wait(self, seconds: float) -> bool:
        """Return True when a topic was notified since the last wait, False after that many real seconds."""
        try:
            # not wait_for, which swallows a cancellation that comes together with the notification
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
