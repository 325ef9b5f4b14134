"""Watching a deployment that shifts traffic, from a thread: its stages, the shares that it asks for, its states."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

EVERY = 0.05


class Look(NamedTuple):
    """A deployment as its service describes it: its stage, the percentage of production traffic that the new version
    is to have, its status and the reason, and whether it goes on."""

    stage: str
    percent: float
    status: str
    reason: str = ""
    runs: bool = True


class Mark(NamedTuple):
    """What a deployment was from a moment on (seconds since the epoch); `UNSEEN` while nobody answers."""

    at: float
    look: Look


UNSEEN = Look("", -1.0, "")


class Watch:
    """`with Watch(look) as watch`: `watch.marks` has all changes. A `look` fails while the engine is dead."""

    def __init__(self, look: Callable[[], Look]) -> None:
        self.marks: list[Mark] = []
        self._look = look
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def until(self, good: Callable[[Look], bool], seconds: float) -> Mark:
        """The first change after which the deployment is as wanted. Raises TimeoutError, or RuntimeError when it ends
        before, with what it is instead."""
        deadline = time.monotonic() + seconds
        while True:
            for mark in list(self.marks):
                if good(mark.look):
                    return mark
                if not mark.look.runs:
                    raise RuntimeError(f"it ended: {mark.look}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds:.0f} s still {self.marks[-1:]}")
            time.sleep(EVERY / 5)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            try:
                found = self._look()
            except Exception:  # nobody answers now
                found = UNSEEN
            if not self.marks or self.marks[-1].look != found:
                self.marks.append(Mark(time.time(), found))
