"""The engine's clock. Its speed is injected, so that tests shorten AWS's waits without other code paths."""

from __future__ import annotations

import asyncio
import time

SHORTEST = 0.02
"""Seconds of the machine's that a sped up clock never waits less than."""


class Clock:
    """Wall-clock time that runs `speed` times as fast as the machine's, from the moment it is made, or from `since`
    (epoch seconds), so that an engine that starts again goes on with the time that it had."""

    def __init__(self, speed: float = 1.0, since: float | None = None) -> None:
        self.speed = speed
        wall = time.time()
        self._wall = wall if since is None else since + (wall - since) * speed
        self._start = time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        if self.speed == 1.0:
            return time.time()
        return self._wall + self.monotonic()

    def monotonic(self) -> float:
        """Seconds of this clock since it was made; never goes back."""
        return (time.monotonic() - self._start) * self.speed

    def real(self, seconds: float) -> float:
        """How long the machine waits for that many seconds of this clock. However fast it runs, what looks again and
        again leaves the machine some rest."""
        return max(max(0.0, seconds) / self.speed, min(max(0.0, seconds), SHORTEST))

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        await asyncio.sleep(self.real(seconds))
