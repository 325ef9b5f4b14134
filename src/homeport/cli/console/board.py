"""The panels of one pipeline as they are told to its pages: each read at its own pace, and told when it has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from homeport.cli.console import pages
from homeport.cli.console.delivery import Delivery, Refusals, is_logged_out
from homeport.cli.console.hub import Message, Source, in_thread
from homeport.cli.console.panels import alarms, builds, findings, images, places, release, services, trail
from homeport.cli.failures import sentence
from homeport.cli.target import CannotReach, Target

Read = Callable[[Delivery, Refusals], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel, the seconds between two looks (at home; at AWS, which counts requests), its column of the page, and how
    many times as long it waits while nothing of it is under way.

    Every look is a call that stands in the audit trail. So at rest only the release is looked at closely, and when it
    is not at rest any more, all else is looked at, too."""

    name: str
    title: str
    read: Read
    home: float
    aws: float
    column: str = ""
    calm: int = 1


PANELS = (
    Panel("release", "Release", release.read, 1, 5, "release", calm=3),
    Panel("services", "Service", services.read, 1, 5, "service", calm=10),
    Panel("builds", "Builds", builds.read, 1, 5, "builds", calm=20),
    Panel("findings", "Doctor", findings.read, 180, 300, "side"),
    Panel("alarms", "Alarms", alarms.read, 15, 30, "side"),
    Panel("images", "Images", images.read, 30, 60, "side"),
    Panel("trail", "Audit trail", trail.read, 15, 60, "side"),
)
COLUMNS = tuple(dict.fromkeys(each.column for each in PANELS))
PLACES = Panel("places", "Pipelines", places.read, 30, 30)


class Board(Source):
    """Polls the panels of a pipeline; without one, what pipelines there are."""

    def __init__(self, target: Target, pipeline: str | None, pace: float = 1.0) -> None:
        super().__init__()
        self._target = target
        self._delivery = Delivery(target, pipeline or "")
        self._pace = pace
        self._panels = (*PANELS, PLACES) if pipeline else (PLACES,)
        self._told: dict[str, str] = {}
        self._gone = ""
        self._again: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        await asyncio.gather(*map(self._poll, self._panels))

    def past(self) -> list[Message]:
        gone = [Message("gone", self._gone)] if self._gone else []
        return [*(self._message(name, html) for name, html in self._told.items()), *gone]

    def look_again(self, *names: str) -> None:
        """Look at once, at all panels when none is named: something was done."""
        for name, again in self._again.items():
            if not names or name in names:
                again.set()

    async def _poll(self, panel: Panel) -> None:
        again = self._again[panel.name] = asyncio.Event()
        pause = self._pace * (panel.home if self._delivery.is_local else panel.aws)
        was_calm: bool | None = None
        failures = 0
        while True:
            again.clear()
            html, calm, gone = await in_thread(lambda: self._render(panel))
            failures = failures + 1 if gone else 0
            if gone:
                self._reconnect()
            if panel is self._panels[0]:
                self._tell_gone(gone)
            # What was seen stays while nothing answers; but where the others are answered, it is told.
            if (not gone or (failures > 1 and not self._gone)) and html != self._told.get(panel.name):
                self._told[panel.name] = html
                self.emit(self._message(panel.name, html))
            if was_calm not in (None, calm) and not gone:  # something has begun, or come to its end
                self.look_again()
            was_calm = calm
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(again.wait(), pause * panel.calm if calm else pause)

    def _render(self, panel: Panel) -> tuple[str, bool, str]:
        """A panel's HTML, whether nothing of it is under way, and why nothing answered at all."""
        refusals = Refusals()
        delivery = self._delivery
        gone = ""
        try:
            shown = panel.read(delivery, refusals)
            html = pages.panel(panel.name, panel.title, shown, refusals, delivery)
            return html, bool(shown.get("calm")), ""
        except (ClientError, BotoCoreError, CannotReach) as error:
            said = sentence(error) or str(error)
            gone = said if not isinstance(error, ClientError) or is_logged_out(error) else ""
        except Exception as error:
            said = f"{type(error).__name__}: {error}. This is a bug; the other panels go on."
        return pages.panel(panel.name, panel.title, None, [*refusals, said], delivery), False, gone

    def _tell_gone(self, why: str) -> None:
        """Tell that nothing answers, or that it does again."""
        if why == self._gone:
            return
        self._gone = why
        self.emit(Message("gone", why))
        if not why:
            self.look_again()

    def _reconnect(self) -> None:
        """The engine may be started on another port, or a person log in again."""
        fresh = replace(self._target)
        self._target = fresh
        self._delivery = Delivery(fresh, self._delivery.name)

    def _message(self, name: str, html: str) -> Message:
        return Message("panel", {"name": name, "html": html})
