"""New targets that were not ready for their first health check.

AWS: "After your target is registered, it must pass one health check to be considered healthy." Envoy takes the first
success for enough only when it is the first check; a process that needs a second to start would have to pass as many
checks as a target that was ill, at the group's interval. So such targets are asked often, and when one is ready it
is put before Envoy once more as a new one. It had no traffic yet, so nothing is disturbed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from homeport.engine.proxy.diagnosis import is_ready
from homeport.engine.proxy.health import HealthWatch, TargetKey
from homeport.engine.proxy.model import Target, TargetGroup

log = logging.getLogger(__name__)

_ADMISSIONS = 5
_LOOKS_A_QUESTION = 3
"""To a target that answered before; one where nothing listens yet is asked at each look."""


class Starting:
    """`look`, called all the time, asks the targets that wait; `admit` shows one to Envoy as new. When its first check
    fails again, on a busy machine for instance, that is repeated after 2, 4, 8 and 16 questions' time; then the
    group's settings decide alone."""

    def __init__(self, health: HealthWatch, admit: Callable[[TargetGroup, Target], Awaitable[None]]) -> None:
        self._health = health
        self._admit = admit
        self._admitted: dict[TargetKey, int] = {}
        self._pauses: dict[TargetKey, int] = {}
        self._asking: dict[TargetKey, asyncio.Task[None]] = {}

    def look(self) -> None:
        waiting = self._health.starting()
        self._admitted = {key: count for key, count in self._admitted.items() if self._health.is_new(key)}
        self._pauses = {key: left - 1 for key, left in self._pauses.items() if left > 1}
        for key, (group, target) in waiting.items():
            if (
                self._admitted.get(key, 0) < _ADMISSIONS
                and key not in self._pauses.keys() | self._asking.keys()
            ):
                task = asyncio.get_running_loop().create_task(self._ask(key, group, target))
                self._asking[key] = task
                task.add_done_callback(lambda _, key=key: self._asking.pop(key, None))  # type: ignore[misc]

    def close(self) -> None:
        for task in self._asking.values():
            task.cancel()

    async def _ask(self, key: TargetKey, group: TargetGroup, target: Target) -> None:
        try:
            ready = group.health_check is not None and await is_ready(group, group.health_check, target)
        except ConnectionRefusedError:
            return
        if not ready:
            self._pauses[key] = _LOOKS_A_QUESTION
            return
        self._admitted[key] = self._admitted.get(key, 0) + 1
        self._pauses[key] = _LOOKS_A_QUESTION * 2 ** self._admitted[key]
        try:
            await self._admit(group, target)
        except Exception as error:  # Envoy did not answer in time: the next admission puts it right
            log.warning("the new target %s:%s could not be shown to Envoy: %s", key.address, key.port, error)
