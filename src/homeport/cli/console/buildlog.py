"""A build's log as it is told to the pages that follow it."""

from __future__ import annotations

import asyncio
import re
from collections import deque

from botocore.exceptions import BotoCoreError, ClientError

from homeport.cli.console.hub import Message, Source, in_thread
from homeport.cli.failures import sentence
from homeport.cli.logs import BuildLog
from homeport.cli.target import CannotReach, Target, TargetName

KEPT = 2000
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


class Follower(Source):
    """Reads a log until its build has ended."""

    def __init__(self, target: Target, build: str, pace: float = 1.0) -> None:
        super().__init__()
        self._target = target
        self._build = build
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._end: list[Message] = []
        self._pause = pace * (1.0 if target.name is TargetName.local else 5.0)

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
            self._finish(f"There is no build {self._build}.")

    def past(self) -> list[Message]:
        lines = [Message("lines", list(self._lines))] if self._lines else []
        return [*lines, *self._end]

    def _open(self) -> BuildLog:
        return BuildLog(self._target.client("codebuild"), self._target.client("logs"), self._build)

    def _finish(self, why: str) -> None:
        self._end = [Message("end", {"why": why})]
        self.emit(self._end[0])


def _plain(line: str) -> str:
    """A line without colours and what else moves a terminal's cursor; of a progress bar, what it showed last."""
    return _ESCAPES.sub("", line.rstrip("\r\n").rpartition("\r")[2])
