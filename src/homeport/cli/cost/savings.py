"""What would cost less: changes of homeport.yml, each priced as the whole stack with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from homeport.cli.cost.estimate import Template, estimate
from homeport.cli.cost.prices import Prices
from homeport.cli.cost.usage import Usage
from homeport.manifest.cost import Schedule
from homeport.manifest.model import Manifest
from homeport.manifest.service import FARGATE_MEMORY
from homeport.stack.service import prefix
from homeport.stack.template import synthesize


@dataclass(frozen=True, slots=True)
class Saving:
    """`change` is what to write in homeport.yml; `monthly` is negative when it would cost more."""

    change: str
    monthly: float
    price: str
    """What one gives for it."""


def template_of(manifest: Manifest) -> Template:
    """What a manifest is priced as: its template, with the tasks that run once it is released."""
    scaling = manifest.service.autoscaling
    count = scaling.min if scaling else manifest.service.count
    tasks = {
        f"{prefix(manifest, name)}Service": _average(manifest, name, environment.count or count)
        for name, environment in manifest.environments.items()
    }
    return Template(synthesize(manifest), {}, tasks)


def _average(manifest: Manifest, environment: str, count: int) -> float:
    """How many tasks run on average, with the hours in which there are fewer."""
    schedule = manifest.cost.schedule
    if schedule is None or (schedule.environments and environment not in schedule.environments):
        return float(count)
    hours = (_hour(schedule.stop) - _hour(schedule.start)) * _days(schedule.days)
    return round((count * hours + schedule.count * (7 * 24 - hours)) / (7 * 24), 2)


def _hour(clock: str) -> float:
    hours, _, minutes = clock.partition(":")
    return int(hours) + int(minutes) / 60


def _days(days: str) -> int:
    """How many days `MON-FRI` or `TUE,THU` are."""
    week = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
    found: set[int] = set()
    for part in days.split(","):
        first, _, last = part.partition("-")
        begin, end = week.index(first), week.index(last or first)
        found |= {at % 7 for at in range(begin, end + 1 if end >= begin else end + 8)}
    return len(found)


def savings(manifest: Manifest, prices: Prices, usage: Usage) -> list[Saving]:
    """Every change that makes a difference, the greatest saving first; networks are compared both ways."""
    now = _monthly(manifest, prices, usage)
    found = []
    for change, changed, price in _changes(manifest):
        saved = now - _monthly(changed, prices, usage)
        if saved >= 0.01 or change.startswith("network.egress"):
            found.append(Saving(change, saved, price))
    return sorted(found, key=lambda each: -each.monthly)


def _monthly(manifest: Manifest, prices: Prices, usage: Usage) -> float:
    return sum(item.monthly for item in estimate(template_of(manifest), prices, usage))


def _changes(manifest: Manifest) -> Iterator[tuple[str, Manifest, str]]:
    service, cost = manifest.service, manifest.cost
    if cost.spot < 50:
        changed = _with(manifest, "cost", spot=50)
        yield "cost.spot: 50", changed, "half of the tasks may be taken back with two minutes' notice"
    if cost.spot < 100:
        changed = _with(manifest, "cost", spot=100)
        yield "cost.spot: 100", changed, "all tasks may go at once: for what is not production"
    if cost.schedule is None:
        rest = _with(manifest, "cost", schedule=Schedule())
        yield "cost.schedule: {}", rest, "no tasks at night and at weekends: for what is not production"
    smaller = [cpu for cpu in FARGATE_MEMORY if cpu < service.cpu]
    if smaller:
        cpu = smaller[-1]
        memory = max((each for each in FARGATE_MEMORY[cpu] if each <= service.memory), default=512)
        changed = _with(manifest, "service", cpu=cpu, memory=memory)
        yield f"service.cpu: {cpu}, service.memory: {memory}", changed, "if the tasks are not busy"
    if manifest.build.compute != "small":
        sizes = ("small", "medium", "large")
        less = sizes[sizes.index(manifest.build.compute) - 1]
        yield f"build.compute: {less}", _with(manifest, "build", compute=less), "builds may take longer"
    if cost.artifact_days > 7:
        changed = _with(manifest, "cost", artifact_days=7)
        yield "cost.artifact-days: 7", changed, "older executions cannot be rolled back to"
    if manifest.image.keep > 5:
        yield "image.keep: 5", _with(manifest, "image", keep=5), "older versions must be built again"
    if cost.log_days > 7:
        yield "cost.log-days: 7", _with(manifest, "cost", log_days=7), "older logs are gone"
    yield from _egress(manifest)


def _egress(manifest: Manifest) -> Iterator[tuple[str, Manifest, str]]:
    if manifest.network.vpc:
        return
    others: dict[Any, str] = {
        "nat": "one zone's outage cuts both off",
        "endpoints": "tasks reach the named AWS services only, not the internet",
    }
    for egress, price in others.items():
        if egress != manifest.network.egress:
            changed = _with(manifest, "network", egress=egress)
            yield f"network.egress: {egress}", changed, price


def _with(manifest: Manifest, part: str, **values: Any) -> Manifest:
    changed = getattr(manifest, part).model_copy(update=values)
    return manifest.model_copy(update={part: changed})
