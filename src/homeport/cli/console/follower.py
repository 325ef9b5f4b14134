"""A log as it is told to the pages that follow it."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from homeport.cli.console.hub import Message, Source, in_thread
from homeport.cli.failures import sentence
from homeport.cli.target import CannotReach

KEPT = 2000
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


class Log(Protocol):
    """A log that is written meanwhile."""

    ended: bool

    def fresh(self) -> Iterator[str]:
        """The lines that were not read yet."""


class Follower(Source):
    """Reads a log until it has ended."""

    def __init__(self, open: Callable[[], Log], pause: float) -> None:
        super().__init__()
        self._open = open
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._end: list[Message] = []
        self._pause = pause

    async def run(self) -> None:
        try:
            log = await in_thread(self._open)
            while not log.ended:
                lines = [_plain(each) for each in await in_thread(lambda: list(log.fresh()))]
                self._lines += lines
                if lines:
                    self.emit(Message("lines", lines))
                await asyncio.sleep(0 if log.ended else self._pause)
            self._finish("")
        except (ClientError, BotoCoreError, CannotReach) as error:
            self._finish(sentence(error) or str(error))
        except IndexError:
            self._finish("There is no such build.")

    def past(self) -> list[Message]:
        lines = [Message("lines", list(self._lines))] if self._lines else []
        return [*lines, *self._end]

    def _finish(self, why: str) -> None:
        self._end = [Message("end", {"why": why})]
        self.emit(self._end[0])


def _plain(line: str) -> str:
    """A line without colours and what else moves a terminal's cursor; of a progress bar, what it showed last."""
    return _ESCAPES.sub("", line.rstrip("\r\n").rpartition("\r")[2])
