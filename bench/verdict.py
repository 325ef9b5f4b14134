"""What clients saw of a deployment: failed requests by cause, the split step by step, and how long a version that is
taken back went on to answer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.strict_load import Answer
from bench.watching import Mark

MARGIN = 0.4
"""Seconds around a change of the split that do not count: a description of it comes later than the change."""


def verdict(
    answers: Sequence[Answer],
    marks: Sequence[Mark],
    version: str,
    *,
    bad: bool = False,
    own: Sequence[int] = (),
    decided: float | None = None,
) -> dict[str, Any]:
    """What clients saw of the deployment of `version`. When it is `bad`, what it answers itself is not lost, nor are
    answers of the statuses `own`, which its death has the load balancer give. `decided` is when it was to go."""

    def theirs(answer: Answer) -> bool:
        return answer.body == version or answer.status in own

    failed = [each for each in answers if each.failed and not (bad and theirs(each))]
    causes = Counter(each.error or f"status {each.status} {each.body}".strip() for each in failed)
    found = {
        "requests": len(answers),
        "failed": dict(causes),
        "of the version": sum(map(theirs, answers)),
        "its errors": sum(each.failed for each in answers if bad and theirs(each)),
        "steps": [
            [percent, *_counted([each for each in answers if begin < each.sent < end], theirs)]
            for percent, begin, end in _steps(marks)
        ],
        "stages": [
            [mark.look.stage, round(following.at - mark.at, 2)]
            for mark, following in itertools.pairwise(marks)
        ],
    }
    if decided is not None:
        last = max((each.sent for each in answers if theirs(each)), default=decided)
        found["back"] = round(max(0.0, last - decided), 3)
    return found


def _counted(answers: Sequence[Answer], theirs: Any) -> tuple[int, int]:
    """How many answers are the version's, and of how many."""
    return sum(map(theirs, answers)), len(answers)


def _steps(marks: Sequence[Mark]) -> list[tuple[float, float, float]]:
    """Each share that was asked for while the deployment went on, and from when to when it was in force."""
    found: list[tuple[float, float, float]] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        end = following.at if following else mark.at
        if found and found[-1][0] == mark.look.percent and found[-1][2] == mark.at:
            found[-1] = (mark.look.percent, found[-1][1], end)
        else:
            found.append((mark.look.percent, mark.at, end))
    return [
        (percent, begin + MARGIN, end - MARGIN)
        for percent, begin, end in found
        if percent >= 0 and end - begin > 2 * MARGIN
    ]
