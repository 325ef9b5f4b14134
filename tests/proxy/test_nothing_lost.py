"""Traffic moves between targets and target groups, and no request is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from homeport.engine.proxy.model import (
    Desired,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    Rule,
    Socket,
    Target,
    TargetGroup,
    WeightedTargetGroup,
)
from homeport.engine.proxy.proxy import Proxy
from tests.proxy.strict_client import StrictLoad
from tests.proxy.targets import TestTarget

StartTarget = Callable[..., Awaitable[TestTarget]]
CHECK = HealthCheck(path="/health", interval=1, timeout=1)


def group(name: str, *targets: Target) -> TargetGroup:
    return TargetGroup(name, targets, health_check=CHECK)


def desired(port: int, groups: tuple[TargetGroup, ...], weights: tuple[int, ...]) -> Desired:
    forward = Forward(tuple(WeightedTargetGroup(g.id, w) for g, w in zip(groups, weights, strict=True)))
    listener = Listener("listener", "app", 80, ("app.localhost",), (Rule("default", "default", forward),))
    return Desired((Socket(port, (listener,)),), groups)


async def serving(port: int) -> None:
    """Wait until the first check of the new targets let them in."""
    for _ in range(300):
        probe = StrictLoad(port, connections=1)
        async with probe:
            await asyncio.sleep(0.01)
        if probe.answers and not probe.errors:
            return
    raise AssertionError("the target group does not serve")


async def test_weights_shift_under_load(proxy: Proxy, port: int, target: StartTarget) -> None:
    blue, green = await target("blue"), await target("green")
    groups = (group("blue", blue.registered()), group("green", green.registered()))
    await proxy.apply(desired(port, groups, (100, 0)))
    await serving(port)
    async with StrictLoad(port) as load:
        for step in range(0, 101, 5):
            await proxy.apply(desired(port, groups, (100 - step, step)))
            await asyncio.sleep(0.05)
        load.answers.clear()
        await asyncio.sleep(0.2)
        assert load.answers["green"] > 0
        assert load.answers["blue"] == 0
        await proxy.apply(desired(port, groups, (1, 0)))
        await asyncio.sleep(0.05)
        load.answers.clear()
        await asyncio.sleep(0.2)
    assert load.answers["green"] == 0
    assert load.errors == []


async def test_targets_are_replaced_under_load(proxy: Proxy, port: int, target: StartTarget) -> None:
    old = await target("0")
    await proxy.apply(desired(port, (group("app", old.registered()),), (1,)))
    await serving(port)
    async with StrictLoad(port) as load, StrictLoad(port, path="/slow", connections=4) as slow:
        for number in range(1, 7):
            new = await target(str(number))
            await proxy.apply(desired(port, (group("app", old.registered(), new.registered()),), (1,)))
            while proxy.health.of("app")[("127.0.0.1", new.port)].state != "healthy":
                await asyncio.sleep(0.02)
            leaving = group("app", old.registered(draining=True), new.registered())
            await proxy.apply(desired(port, (leaving,), (1,)))
            await asyncio.sleep(old.slow + 0.1)  # the deregistration delay lets slow requests finish
            await old.stop()
            await proxy.apply(desired(port, (group("app", new.registered()),), (1,)))
            old = new
    assert load.errors == []
    assert slow.errors == []
    assert set(load.answers) == {str(number) for number in range(7)}


async def test_the_split_is_what_was_asked(proxy: Proxy, port: int, target: StartTarget) -> None:
    blue, green = await target("blue"), await target("green")
    groups = (group("blue", blue.registered()), group("green", green.registered()))
    await proxy.apply(desired(port, groups, (900, 100)))
    await serving(port)
    async with StrictLoad(port, connections=16, pause=0) as load:
        await load.until(6000)
    assert load.errors == []
    assert load.answers["green"] / load.answers.total() == pytest.approx(0.10, abs=0.015)


async def test_envoy_outlives_the_engine_and_is_adopted(
    proxy: Proxy, port: int, target: StartTarget, tmp_path: Path
) -> None:
    app, other = await target("app"), await target("other")
    groups = (group("app", app.registered()), group("other", other.registered()))
    await proxy.apply(desired(port, groups, (1, 0)))
    await serving(port)
    async with StrictLoad(port) as load:
        pid = proxy.process.pid()
        await proxy.close()  # the engine is gone …
        again = Proxy(tmp_path / "proxy")  # … and another one takes over
        await again.start()
        assert again.process.pid() == pid
        await again.apply(desired(port, groups, (1, 0)))
        assert again.health.of("app")[("127.0.0.1", app.port)].state == "healthy"
        await again.apply(desired(port, groups, (0, 1)))
        await asyncio.sleep(0.1)
        await again.close()
    assert load.errors == []
    assert set(load.answers) == {"app", "other"}


async def test_a_refused_state_leaves_the_one_before_in_force(
    proxy: Proxy, port: int, target: StartTarget
) -> None:
    app = await target("app")
    good = desired(port, (group("app", app.registered()),), (1,))
    await proxy.apply(good)
    await serving(port)
    impossible = Listener("listener", "app", 80, (), (Rule("default", "default", FixedResponse(9)),))
    with pytest.raises(Exception, match="Status: value must be inside range"):
        await proxy.apply(Desired((Socket(port, (impossible,)),), good.target_groups))
    async with StrictLoad(port, connections=1) as load:
        await asyncio.sleep(0.05)
    assert load.errors == []
    assert set(load.answers) == {"app"}
