"""Targets come, go, and are judged."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.elbv2.conftest import Balancer, Target, forward
from tests.proxy.strict_client import StrictLoad

StartTarget = Callable[[str], Target]


def health(balancer: Balancer, group: str) -> list[dict[str, str]]:
    found = balancer.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [each["TargetHealth"] for each in found]


def until(balancer: Balancer, group: str, state: str) -> dict[str, str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        [found] = health(balancer, group)
        if (found["State"] == state and "[" in found.get("Description", "[")) or found.get(
            "Reason", ""
        ).endswith("s"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"the target is {found}, not {state}")


def test_a_group_that_no_listener_uses_is_unused(balancer: Balancer, target: StartTarget) -> None:
    group = balancer.group("app", target("app"))
    assert health(balancer, group)[0]["Reason"] == "Target.NotInUse"
    balancer.listen(forward(group))
    balancer.healthy(group)
    assert health(balancer, group) == [{"State": "healthy"}]


def test_a_target_that_answers_an_error_is_unhealthy_with_its_code(
    balancer: Balancer, target: StartTarget
) -> None:
    app = target("app")
    app.health_status = 500
    group = balancer.group("app", app)
    balancer.listen(forward(group))
    assert health(balancer, group)[0]["State"] == "initial"
    found = until(balancer, group, "unhealthy")
    assert found["Reason"] == "Target.ResponseCodeMismatch"
    assert found["Description"] == "Health checks failed with these codes: [500]"
    app.health_status = 200
    balancer.elbv2.modify_target_group(TargetGroupArn=group, HealthyThresholdCount=2)
    balancer.healthy(group)


def test_a_target_where_nothing_listens_says_so(balancer: Balancer) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    group = balancer.group("app")
    balancer.elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    balancer.listen(forward(group))
    found = until(balancer, group, "unhealthy")
    assert found["Reason"] == "Target.FailedHealthChecks"
    assert f"connection to 127.0.0.1:{port} refused" in found["Description"]


def test_targets_are_replaced_without_a_lost_request(balancer: Balancer, target: StartTarget) -> None:
    old = target("0")
    group = balancer.group("app", old)
    balancer.listen(forward(group))
    balancer.healthy(group)

    async def replace_all() -> StrictLoad:
        current = old
        async with StrictLoad(balancer.bound(), host=balancer.host) as load:
            for number in range(1, 4):
                new = target(str(number))
                arguments: dict[str, Any] = {"TargetGroupArn": group}
                await asyncio.to_thread(
                    balancer.elbv2.register_targets, Targets=[new.description], **arguments
                )
                await asyncio.to_thread(balancer.healthy, group)
                await asyncio.to_thread(
                    balancer.elbv2.deregister_targets, Targets=[current.description], **arguments
                )
                await asyncio.to_thread(drained, current)
                current.stop()
                current = new
        return load

    def drained(leaving: Target) -> None:
        waiter = balancer.elbv2.get_waiter("target_deregistered")
        waiter.wait(
            TargetGroupArn=group,
            Targets=[leaving.description],
            WaiterConfig={"Delay": 0.05, "MaxAttempts": 100},
        )

    load = asyncio.run(replace_all())
    assert load.errors == []
    assert set(load.answers) == {"0", "1", "2", "3"}


def test_traffic_goes_on_while_the_engine_is_dead(own_engine: RunningEngine, target: StartTarget) -> None:
    own_engine.start()
    balancer = Balancer(own_engine)
    blue, green = balancer.group("blue", target("blue")), balancer.group("green", target("green"))
    listener = balancer.listen(forward(blue))
    balancer.healthy(blue)

    async def kill_it() -> StrictLoad:
        async with StrictLoad(balancer.bound(), host=balancer.host) as load:
            await asyncio.to_thread(own_engine.kill)
            await load.until(200)
            await asyncio.to_thread(own_engine.start)
            assert health(balancer, blue) == [{"State": "healthy"}]
            await asyncio.to_thread(
                balancer.elbv2.modify_listener, ListenerArn=listener, DefaultActions=[forward(green)]
            )
            await asyncio.to_thread(balancer.healthy, green)
        return load

    load = asyncio.run(kill_it())
    assert [error for error in load.errors if "503" not in error] == []  # green was new: no target at first
    assert set(load.answers) >= {"blue"}


def test_registration_errors(balancer: Balancer) -> None:
    elbv2 = balancer.elbv2
    group = balancer.group("app")
    with pytest.raises(elbv2.exceptions.ClientError, match="is not a valid IPv4 address"):
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": "i-1"}])
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.register_targets(TargetGroupArn=group[:-1] + "x", Targets=[{"Id": "10.0.0.1"}])
    asked = elbv2.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1", "Port": 80}])
    assert asked["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
