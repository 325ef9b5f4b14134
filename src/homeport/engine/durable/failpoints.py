"""Places where a test can have the process die as by `kill -9`.

`HOMEPORT_FAIL_AT=name` dies at the first hit of that name, `name:3` at the third. Every durable step has three
failpoints by itself: `<kind>.<step>.before`, `.done` (effect made, not recorded) and `.committed`.
"""

from __future__ import annotations

import os
import signal


class Failpoints:
    """The failpoint that is armed, if any."""

    def __init__(self, armed: str | None = None) -> None:
        name, _, count = (armed or "").partition(":")
        self._armed = name
        self._left = int(count or 1)

    def hit(self, name: str) -> None:
        """Die here when this failpoint is armed and its count is reached."""
        if name == self._armed:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
