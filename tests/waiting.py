"""Waiting for what the engine does by itself. Patient: the machine may be busy, and success ends the wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], good: Callable[[T], object] = bool, seconds: float = 90) -> T:
    """Look again and again until what is seen is good, and return it."""
    deadline = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"after {seconds} s still: {seen}"
        time.sleep(0.05)
    return seen
