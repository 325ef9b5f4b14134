"""Which phases of a build run, and what each end of one means.

The agent in the build's container carries this out by itself (`agent.sh`), so what it needs to know of each phase is
data: the words of `after_failure`, the number of retries, a pattern.
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from homeport.engine.services.codebuild.buildspec import PHASES, Buildspec, OnFailure, Phase

AfterFailure = Literal["end", "next", "go-on"]
"""`end`: no further phase. `next`: the next phase runs, the build fails. `go-on`: as if it had not failed."""


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A phase as the agent runs it. `name` is AWS's (`PRE_BUILD`)."""

    name: str
    commands: tuple[str, ...]
    finally_: tuple[str, ...]
    run_as: str
    after_failure: AfterFailure
    retries: int
    pattern: str


def plan(spec: Buildspec) -> tuple[PlannedPhase, ...]:
    """The four phases in their order; those that the buildspec lacks succeed at once, as on AWS."""
    return tuple(_planned(name, spec.phases.get(name, Phase()), spec.run_as) for name in PHASES)


def _planned(name: str, phase: Phase, run_as: str) -> PlannedPhase:
    on_failure = phase.on_failure
    retrying = on_failure is not None and on_failure.action == "RETRY"
    return PlannedPhase(
        name=name.upper(),
        commands=phase.commands,
        finally_=phase.finally_,
        run_as=phase.run_as or run_as,
        after_failure=after_failure(name, on_failure),
        retries=on_failure.retries if on_failure and retrying else 0,
        pattern=on_failure.pattern if on_failure and retrying else "",
    )


def after_failure(name: str, on_failure: OnFailure | None) -> AfterFailure:
    """What a failed phase leads to: post_build runs after a failed build phase, unless on-failure says otherwise."""
    if on_failure is not None:
        return "go-on" if on_failure.action == "CONTINUE" else "end"
    return "next" if name == "build" else "end"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the phases came to: those that ran with their ends, and whether the build succeeds."""

    ran: tuple[tuple[str, bool], ...]
    succeeded: bool
    succeeding: tuple[tuple[str, bool], ...]
    """CODEBUILD_BUILD_SUCCEEDING at the beginning of each phase that ran."""


def outcome(phases: tuple[PlannedPhase, ...], fails: dict[str, int]) -> Outcome:
    """What becomes of a build whose phases fail that many times each before they succeed: the rule of which `agent.sh`
    is the other half."""
    ran: list[tuple[str, bool]] = []
    before: list[tuple[str, bool]] = []
    succeeding = succeeded = True
    for phase in phases:
        before.append((phase.name, succeeding))
        good = fails.get(phase.name, 0) <= phase.retries
        ran.append((phase.name, good))
        if good:
            continue
        succeeding = False
        if phase.after_failure != "go-on":
            succeeded = False
        if phase.after_failure == "end":
            break
    return Outcome(tuple(ran), succeeded, tuple(before))


def uploads_artifacts(ran: dict[str, bool]) -> bool:
    """Whether UPLOAD_ARTIFACTS is attempted: always once the build phase has run, even if it failed."""
    return "BUILD" in ran
