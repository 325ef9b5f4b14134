"""The rolling strategy: which tasks to start and stop now, so that the service keeps between its minimum of healthy
tasks and its maximum of tasks.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class View(NamedTuple):
    """A task as the scheduler sees it: one that is meant to run.

    `healthy`: it serves. `unhealthy`: a check says that it must be replaced. Neither: it is on its way. `protected`:
    it is not stopped because fewer tasks, or others, are wanted."""

    id: str
    deployment: str
    running: bool
    healthy: bool
    unhealthy: bool
    created: float
    protected: bool = False


class Bounds(NamedTuple):
    """At least so many healthy tasks, at most so many tasks."""

    lower: int
    upper: int


class Plan(NamedTuple):
    """How many tasks of the primary deployment to start, and which tasks to stop."""

    start: int
    stop: list[str]


def bounds(desired: int, minimum_percent: int, maximum_percent: int) -> Bounds:
    """minimumHealthyPercent rounds up, maximumPercent rounds down."""
    return Bounds(math.ceil(desired * minimum_percent / 100), desired * maximum_percent // 100)


def plan(
    desired: int,
    limits: Bounds,
    primary: str,
    tasks: Sequence[View],
    *,
    rolling: bool,
    may_start: bool = True,
) -> Plan:
    """The next moves. `rolling`: the primary deployment is in progress, so its unhealthy tasks have failed;
    otherwise a replacement comes first where the maximum allows. `may_start` is False when the deployment has
    failed or waits: then nothing starts, and nothing that serves is stopped in its favour."""
    new = [task for task in tasks if task.deployment == primary]
    old = [task for task in tasks if task.deployment != primary]
    stop = [task.id for task in tasks if task.unhealthy and (rolling or task.deployment != primary)]
    good = sum(not task.unhealthy for task in new)
    serving = sum(task.healthy for task in new)

    missing = desired - good if may_start else 0
    room = limits.upper - (len(tasks) - len(stop))
    start = max(0, min(missing, room))
    if not rolling:
        stop += _unhealthy_to_stop(new, replaced=serving >= desired, stuck=missing > start)
    stop += _surplus(new, good - desired)
    stop += _old_to_stop(old, set(stop), desired, limits, serving, missing - start, may_start)
    return Plan(start, stop)


def _unhealthy_to_stop(new: list[View], replaced: bool, stuck: bool) -> list[str]:
    return [task.id for task in new if task.unhealthy] if replaced or stuck else []


def _surplus(new: list[View], count: int) -> list[str]:
    """The tasks that a smaller desired count does without: first those that do not serve yet, then the newest."""
    candidates = [task for task in new if not task.unhealthy and not task.protected]
    candidates.sort(key=lambda task: (task.healthy, task.running, -task.created))
    return [task.id for task in candidates[: max(0, count)]]


def _old_to_stop(
    old: list[View],
    stopping: set[str],
    desired: int,
    limits: Bounds,
    serving: int,
    blocked: int,
    may_start: bool,
) -> list[str]:
    """Old tasks that are not needed any more, and those whose place a new task needs."""
    left = sorted(
        (task for task in old if task.id not in stopping), key=lambda task: (task.healthy, task.created)
    )
    if not may_start:
        return []
    count = len(left) - max(0, desired - serving) + max(0, blocked)
    spare = serving + sum(task.healthy for task in left) - limits.lower
    stop = []
    for task in left:
        if task.protected:
            continue
        if not task.running:
            stop.append(task.id)
            count -= 1
        elif count > 0 and (not task.healthy or spare > 0):
            stop.append(task.id)
            count -= 1
            spare -= task.healthy
    return stop
