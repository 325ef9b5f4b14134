"""Execution modes: which execution may enter which stage, and which is superseded. Pure decisions over facts.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
- A stage is locked while an execution is in it (SUPERSEDED and QUEUED).
- SUPERSEDED: of those that wait before the same stage, only the newest stays; the others are superseded.
- QUEUED: those that wait enter one by one, in the order in which they were started; none is superseded.
- PARALLEL: executions know nothing of each other.
A disabled inbound transition keeps everybody out; whoever waits there can still be superseded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["SUPERSEDED", "QUEUED", "PARALLEL"]

MAXIMUM_EXECUTIONS = 50
"""How many executions may be under way in a QUEUED or PARALLEL pipeline (a quota of CodePipeline)."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where an execution under way is: waiting before a stage, or in it. `number` counts starts."""

    id: str
    number: int
    stage: str
    waiting: bool
    mode: Mode
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    """The execution leaves the queue before the stage and runs in it."""

    id: str
    stage: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """The execution ends as Superseded, by the newer one."""

    id: str
    by: str


Decision = Enter | Supersede


def decide(positions: Collection[Position], enabled: Mapping[str, bool]) -> list[Decision]:
    """What happens now. `enabled[stage]` tells whether its inbound transition is enabled.

    Executions started in PARALLEL mode stay parallel when the pipeline's mode changes.
    """
    decisions: list[Decision] = []
    for stage in sorted({position.stage for position in positions}):
        here = [position for position in positions if position.stage == stage]
        decisions += _at_stage(stage, here, enabled.get(stage, True))
    return decisions


def _at_stage(stage: str, here: list[Position], enabled: bool) -> list[Decision]:
    waiting = sorted((one for one in here if one.waiting), key=lambda one: one.number)
    parallel = [one for one in waiting if one.mode == "PARALLEL"]
    serial = [one for one in waiting if one.mode != "PARALLEL"]
    decisions: list[Decision] = [Enter(one.id, stage) for one in parallel if enabled]
    if not serial:
        return decisions
    kept = _kept(serial)
    decisions += [Supersede(one.id, kept[-1].id) for one in serial if one not in kept]
    locked = any(not one.waiting and one.mode != "PARALLEL" for one in here)
    if enabled and not locked:
        decisions.append(Enter(kept[0].id, stage))
    return decisions


def _kept(serial: list[Position]) -> list[Position]:
    """Those that go on waiting. The newest decides: what was queued before the mode became SUPERSEDED is
    overtaken by the first execution of the new mode. Rollbacks were asked for one by one and stay."""
    newest = serial[-1]
    if newest.mode != "SUPERSEDED":
        return serial
    return [one for one in serial if one is newest or one.rollback]
