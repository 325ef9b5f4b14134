"""HTML of the page and of its panels. Jinja escapes all text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from homeport.cli.console.delivery import Delivery
from homeport.cli.console.panels.services import tag_of
from homeport.cli.view import seconds

FOLDER = Path(__file__).parent
GOOD, BAD, BUSY, WAIT, IDLE = "good", "bad", "busy", "wait", "idle"
TONES = {
    **dict.fromkeys(("Succeeded", "SUCCEEDED", "healthy", "OK", "RUNNING", "ACTIVE", "COMPLETED"), GOOD),
    **dict.fromkeys(
        ("Failed", "FAILED", "FAULT", "TIMED_OUT", "unhealthy", "ALARM", "CRITICAL", "HIGH"), BAD
    ),
    **dict.fromkeys(("InProgress", "IN_PROGRESS", "PENDING", "PROVISIONING", "ACTIVATING", "initial"), BUSY),
    **dict.fromkeys(("Stopping", "Stopped", "STOPPED", "MEDIUM", "draining", "INSUFFICIENT_DATA"), WAIT),
}
"""The colour of a state; one that is not here has none."""


def page(**facts: Any) -> str:
    """The whole page, its panels empty: they come with the first messages."""
    return _environment().get_template("page.html").render(facts)


def panel(
    name: str, title: str, shown: dict[str, Any] | None, refusals: Sequence[str], place: Delivery
) -> str:
    """A panel; `shown` is None when nothing of it could be read."""
    facts = {"name": name, "title": title, "refusals": refusals, "delivery": place, "shown": shown}
    return _environment().get_template(f"panels/{name}.html").render(facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": seconds,
        "tone": lambda state: TONES.get(state, IDLE),
        "iso": lambda moment: moment.isoformat(),
        "clock": _clock,
        "mebibytes": lambda size: f"{size / 2**20:.0f} MB",
        "title_of": lambda text: next(iter(str(text).strip().splitlines()), ""),
        "last_of": lambda arn: re.split("[:/]", arn.removesuffix(":*"))[-1],
        "tag_of": tag_of,
        "which": lambda action: (
            action.stage if action.stage == action.name else f"{action.stage} / {action.name}"
        ),
        "part": lambda text: quote(text, safe=""),
        "prose": _prose,
        "by": lambda trigger: _TRIGGERS.get(trigger, trigger),
    }
    return environment


_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:[^\s()\",;]*[\w*]")
_TRIGGERS = {
    "CloudWatchEvent": "by an event",
    "CreatePipeline": "as it was made",
    "StartPipelineExecution": "by hand",
    "PollForSourceChanges": "by a push",
    "Webhook": "by a push",
    "WebhookV2": "by a push",
    "ManualRollback": "a way back",
    "AutomatedRollback": "a way back",
}


def _prose(text: str) -> Markup:
    """A text to read: of an ARN its name is shown, the whole of it to who points at it."""
    parts, at = [], 0
    for found in _ARN.finditer(text):
        parts += [escape(text[at : found.start()]), _named(found[0])]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _named(arn: str) -> Markup:
    kind, _, name = arn.split(":", 5)[5].partition("/")
    short = name.split("/")[0] if kind in ("targetgroup", "loadbalancer") else name.rpartition("/")[2]
    return Markup('<span class="arn" title="{}">{}</span>').format(arn, short or kind.rpartition(":")[2])


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
