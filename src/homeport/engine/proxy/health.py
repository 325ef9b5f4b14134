"""The health of targets, with the reason when it is bad.

Envoy checks; it appends an event to `health.log` for each change and each failed check. `HealthWatch`
reads that file and tells in Elastic Load Balancing's words. A new target is `initial` until its first
success, or until it failed as often in a row as the unhealthy threshold says. What the engine decides itself, that a
target begins anew or that a failed check does not count, is written into the same file, so that a restarted engine
comes to the same counts.

AWS: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from homeport.engine.proxy.admin import Admin
from homeport.engine.proxy.diagnosis import diagnose
from homeport.engine.proxy.model import Target, TargetGroup

_LONG_LOG = 16_000_000


class TargetKey(NamedTuple):
    target_group: str
    address: str
    port: int


@dataclass(frozen=True)
class Health:
    """AWS's TargetHealth: state, reason code and description."""

    state: Literal["initial", "healthy", "unhealthy"]
    reason: str | None = None
    description: str | None = None


INITIAL = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = Health("healthy")

_REASONS = {
    "ACTIVE": ("Target.ResponseCodeMismatch", "Health checks failed"),
    "NETWORK_TIMEOUT": ("Target.Timeout", "Request timed out"),
    "NETWORK": ("Target.FailedHealthChecks", "Health checks failed"),
}


class HealthWatch:
    """Who is healthy, as of the last call of `changes`."""

    def __init__(self, folder: Path, admin: Admin) -> None:
        self._log = folder / "health.log"
        self._admin = admin
        self._position = 0
        self._health: dict[TargetKey, Health] = {}
        self._failures: dict[TargetKey, int] = {}
        self._groups: dict[str, TargetGroup] = {}
        self._diagnoses: dict[TargetKey, asyncio.Task[None]] = {}
        self._changed: set[str] = set()
        self._known: set[TargetKey] = set()

    def of(self, target_group: str) -> dict[tuple[str, int], Health]:
        """The health of each target of a group that is checked."""
        group = self._groups.get(target_group)
        if group is None:
            return {}
        unchecked = INITIAL if group.health_check else HEALTHY
        return {
            (each.address, each.port): self._health.get(_key(group, each), unchecked)
            for each in group.targets
        }

    def group(self, target_group: str) -> TargetGroup | None:
        """The group as it was last expected."""
        return self._groups.get(target_group)

    def starting(self) -> dict[TargetKey, tuple[TargetGroup, Target]]:
        """New targets that have failed a check, but not so often that they are unhealthy."""
        if not any(map(self.is_new, self._failures)):
            return {}
        return {
            _key(group, target): (group, target)
            for group in self._groups.values()
            for target in group.targets
            if _key(group, target) in self._failures and self.is_new(_key(group, target))
        }

    def is_new(self, key: TargetKey) -> bool:
        """Whether the target is there and was neither healthy nor unhealthy yet."""
        return key in self._known and key not in self._health

    def again(self, key: TargetKey) -> None:
        """The target is shown to Envoy once more: its next first check takes the place of the one that failed."""
        self._note("shown_again", [key])
        self._read()

    def expect(self, groups: Iterable[TargetGroup]) -> None:
        """These are the groups from now on. A target that was not there before starts as `initial`."""
        self._read()
        self._groups = {group.id: group for group in groups}
        now = {_key(group, target) for group in self._groups.values() for target in group.targets}
        self._forget(self._known ^ now)
        self._known = now

    async def recall(self, groups: Iterable[TargetGroup] = ()) -> None:
        """After a restart: what the log says of these groups, put right by what Envoy holds at this moment."""
        self._groups = {group.id: group for group in groups} or self._groups
        self._position = 0
        self._health.clear()
        self._failures.clear()
        self._known.clear()
        self._read()
        for key, status in (await self._held()).items():
            self._known.add(key)
            self._correct(key, status)

    async def put_right(self) -> None:
        """See that no new target waits though Envoy holds it for healthy: its event may have come before the target
        was expected, or when Envoy was so busy that a change had to be written twice."""
        if not any(map(self.is_new, self._known)):
            return
        for key, status in (await self._held()).items():
            if self.is_new(key) and not status.get("failed_active_health_check"):
                self._correct(key, status)

    async def _held(self) -> dict[TargetKey, dict[str, Any]]:
        """What Envoy holds of each target's health."""
        answer = await self._admin.get("/clusters?format=json")
        return {
            TargetKey(cluster["name"], address["address"], address["port_value"]): host["health_status"]
            for cluster in answer.get("cluster_statuses", [])
            for host in cluster.get("host_statuses", [])
            if (address := host["address"]["socket_address"])
        }

    def changes(self) -> list[str]:
        """Read on in the log; the groups in which a target's health changed since the last call."""
        self._read()
        groups, self._changed = self._changed, set()
        return sorted(groups)

    def _correct(self, key: TargetKey, status: dict[str, Any]) -> None:
        if status.get("pending_active_hc"):
            self._forget([key])
        elif status.get("failed_active_health_check"):
            if self._health.get(key, INITIAL).state == "healthy":
                self._set(key, Health("unhealthy", *_REASONS["NETWORK"]))
        else:
            self._set(key, HEALTHY)

    def _forget(self, keys: Collection[TargetKey]) -> None:
        """These targets begin anew."""
        self._note("begun_anew", keys)
        self._read()

    def _drop(self, key: TargetKey) -> None:
        self._failures.pop(key, None)
        self._health.pop(key, None)
        task = self._diagnoses.pop(key, None)
        if task is not None:
            task.cancel()

    def _note(self, decision: str, keys: Iterable[TargetKey]) -> None:
        lines = [
            {
                "cluster_name": key.target_group,
                "host": {"socket_address": {"address": key.address, "port_value": key.port}},
                decision: {},
            }
            for key in keys
        ]
        if lines:
            with self._log.open("ab") as log:
                log.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def _read(self) -> None:
        try:
            size = self._log.stat().st_size
        except FileNotFoundError:
            return
        if size < self._position:  # begun anew
            self._position = 0
        if size == self._position:
            return
        with self._log.open("rb") as log:
            log.seek(self._position)
            content = log.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        if self._position > _LONG_LOG:
            os.truncate(self._log, 0)
            self._position = 0
        for line in whole.splitlines():
            if line:
                self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        address = event["host"].get("socket_address")
        if address is None:
            return
        key = TargetKey(event["cluster_name"], address["address"], address["port_value"])
        if "add_healthy_event" in event:
            self._failures.pop(key, None)
            self._set(key, HEALTHY)
            return
        if "begun_anew" in event:
            self._drop(key)
            return
        if "shown_again" in event:
            self._failures[key] = max(0, self._failures.get(key, 0) - 1)
            return
        failure = event.get("eject_unhealthy_event") or event.get("health_check_failure_event")
        if failure is None:
            return
        if "health_check_failure_event" in event:
            self._failures[key] = self._failures.get(key, 0) + 1
        if "eject_unhealthy_event" in event or self._failures[key] >= self._threshold(key):
            self._fail(key, failure.get("failure_type", "ACTIVE"))

    def _threshold(self, key: TargetKey) -> int:
        group = self._groups.get(key.target_group)
        return group.health_check.unhealthy_threshold if group and group.health_check else 2

    def _fail(self, key: TargetKey, failure_type: str) -> None:
        known = self._health.get(key)
        reason, description = _REASONS[failure_type]
        if known is not None and known.state == "unhealthy" and known.reason == reason:
            return
        if known is not None and known.state == "healthy" and self._failures.get(key, 0) == 0:
            self._failures[key] = self._threshold(key)
        self._set(key, Health("unhealthy", reason, description))
        group = self._groups.get(key.target_group)
        if group is not None and group.health_check is not None and key not in self._diagnoses:
            task = asyncio.get_running_loop().create_task(self._explain(key, reason, group))
            self._diagnoses[key] = task
            task.add_done_callback(lambda _: self._diagnoses.pop(key, None))

    async def _explain(self, key: TargetKey, reason: str, group: TargetGroup) -> None:
        """Ask the target once more, by ourselves, to say what it answers."""
        assert group.health_check is not None
        check_port = next(
            (each.health_check_port for each in group.targets if _key(group, each) == key), None
        )
        description = await diagnose(group, group.health_check, key.address, check_port or key.port)
        known = self._health.get(key)
        if description and known is not None and known.state == "unhealthy" and known.reason == reason:
            self._set(key, Health("unhealthy", reason, description))

    def _set(self, key: TargetKey, health: Health) -> None:
        if self._health.get(key) != health:
            self._health[key] = health
            self._changed.add(key.target_group)


def _key(group: TargetGroup, target: Target) -> TargetKey:
    return TargetKey(group.id, target.address, target.port)
