"""One step of a shift of traffic."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """The share of production traffic that the new revision then has (percent, in tenths), and how long it bakes
    with it (seconds)."""

    percent: float
    bake: float = 0.0
