"""What happens inside a stage: which actions start next, and what the stage has come to. Pure decisions.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ActionStatus = Literal["InProgress", "Succeeded", "Failed", "Abandoned"]
Outcome = Literal["Succeeded", "Failed", "Stopped"]


@dataclass(frozen=True, slots=True)
class Start:
    """Start these actions now; all have the same runOrder."""

    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """No action runs any more and none is to be started."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Running:
    """Actions are under way; look again when one ends."""


def next_step(
    actions: Sequence[Mapping[str, Any]], statuses: Mapping[str, ActionStatus], stopping: bool
) -> Start | Ended | Running:
    """`actions` are the stage's declarations, `statuses` those of the actions that were started in this
    attempt. Actions of one runOrder run together; the next order starts when all of them succeeded. After
    a failure, those that run are let finish and nothing else is started."""
    if any(status == "InProgress" for status in statuses.values()):
        return Running()
    if "Failed" in statuses.values():
        return Ended("Failed")
    if "Abandoned" in statuses.values():
        return Ended("Stopped")
    left = [action for action in actions if action["name"] not in statuses]
    if not left:
        return Ended("Succeeded")
    if stopping:
        return Ended("Stopped")
    order = min(action.get("runOrder", 1) for action in left)
    return Start(tuple(action["name"] for action in left if action.get("runOrder", 1) == order))


def kept_for_retry(
    mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"], statuses: Mapping[str, ActionStatus]
) -> dict[str, ActionStatus]:
    """The action statuses that a retry of the stage keeps: those that succeeded, unless all run again."""
    if mode == "ALL_ACTIONS":
        return {}
    return {name: status for name, status in statuses.items() if status == "Succeeded"}
