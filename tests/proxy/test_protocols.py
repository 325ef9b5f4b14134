"""What goes through besides plain HTTP/1.1."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

from homeport.engine.proxy.model import (
    Certificate,
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
from homeport.engine.proxy.ports import Claims
from homeport.engine.proxy.proxy import Proxy
from homeport.engine.wire.authority import Authority
from tests.proxy.strict_client import StrictLoad
from tests.proxy.targets import TestTarget

StartTarget = Callable[..., Awaitable[TestTarget]]


def front(port: int, group: TargetGroup) -> Socket:
    forward = Forward((WeightedTargetGroup(group.id),))
    return Socket(port, (Listener("front", "app", 80, (), (Rule("default", "default", forward),)),))


async def healthy(proxy: Proxy, group: str) -> None:
    async with asyncio.timeout(10):
        while {health.state for health in proxy.health.of(group).values()} != {"healthy"}:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("version", ["HTTP1", "HTTP2", "GRPC"])
@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
async def test_targets_that_speak_other_protocols(
    proxy: Proxy,
    port: int,
    tmp_path: Path,
    version: Literal["HTTP1", "HTTP2", "GRPC"],
    protocol: Literal["HTTP", "HTTPS"],
) -> None:
    """The target is a listener of the same Envoy: it speaks whatever it is spoken to."""
    behind = Claims().choose(port + 1, {port})
    chain, key = Authority(tmp_path / "ca").issue("target.localhost")
    certificates = (Certificate(chain.read_text(), key.read_text()),) if protocol == "HTTPS" else ()
    answer = Rule("answer", "default", FixedResponse(200, "text/plain", "from behind"))
    target = Socket(behind, (Listener("behind", "target", 80, (), (answer,), certificates=certificates),))
    check = HealthCheck(protocol=protocol, interval=1, timeout=1)
    group = TargetGroup(
        "app", (Target("127.0.0.1", behind),), protocol=protocol, protocol_version=version, health_check=check
    )
    await proxy.apply(Desired((target, front(port, group)), (group,)))
    await healthy(proxy, "app")
    async with StrictLoad(port, connections=2) as load:
        await load.until(20)
    assert load.errors == []
    assert set(load.answers) == {"from behind"}


async def test_a_target_that_starts_late_is_let_in_when_it_is_ready(
    proxy: Proxy, port: int, target: StartTarget
) -> None:
    late = Claims().choose(port + 1, {port})
    check = HealthCheck(path="/health", interval=30, timeout=1, healthy_threshold=5)
    group = TargetGroup("app", (Target("127.0.0.1", late),), health_check=check)
    await proxy.apply(Desired((front(port, group),), (group,)))
    await asyncio.sleep(0.5)  # its first check has failed
    await target("late", port=late)
    started = asyncio.get_running_loop().time()
    await healthy(proxy, "app")
    assert asyncio.get_running_loop().time() - started < 5
    async with StrictLoad(port, connections=2) as load:
        await load.until(20)
    assert load.errors == []


async def test_a_target_that_is_shown_to_envoy_in_a_bad_moment_is_shown_again(
    proxy: Proxy, port: int
) -> None:
    checks = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal checks
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            by_envoy = b"connection: close" not in head.lower()
            checks += by_envoy
            status = 503 if by_envoy and checks < 3 else 200
            writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok" % status)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    check = HealthCheck(path="/health", interval=60, timeout=1, healthy_threshold=5, unhealthy_threshold=2)
    group = TargetGroup("app", (Target("127.0.0.1", server.sockets[0].getsockname()[1]),), health_check=check)
    await proxy.apply(Desired((front(port, group),), (group,)))
    await healthy(proxy, "app")
    assert checks == 3
    server.close()


async def test_failed_checks_that_did_not_count_do_not_count_after_a_restart(
    proxy: Proxy, port: int, tmp_path: Path
) -> None:
    checks, failing = 0, True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal checks
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            by_envoy = b"connection: close" not in head.lower()
            checks += by_envoy
            status = 503 if by_envoy and failing else 200
            writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok" % status)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    check = HealthCheck(path="/health", interval=60, timeout=1, healthy_threshold=5, unhealthy_threshold=2)
    group = TargetGroup("app", (Target("127.0.0.1", server.sockets[0].getsockname()[1]),), health_check=check)
    state = Desired((front(port, group),), (group,))
    await proxy.apply(state)
    async with asyncio.timeout(10):
        while checks < 3:  # as a new target, it was shown to Envoy again and again
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)  # Envoy has told of the last
    await proxy.close()

    again = Proxy(tmp_path / "proxy")
    await again.start(target_groups=(group,))
    await again.apply(state)
    assert {health.state for health in again.health.of("app").values()} == {"initial"}
    failing = False
    await healthy(again, "app")
    await again.close()
    server.close()


async def test_a_target_that_envoy_holds_for_healthy_does_not_wait(
    proxy: Proxy, port: int, target: StartTarget
) -> None:
    app = await target("app")
    check = HealthCheck(path="/health", interval=60, timeout=1)
    group = TargetGroup("app", (app.registered(),), health_check=check)
    await proxy.apply(Desired((front(port, group),), (group,)))
    await healthy(proxy, "app")
    proxy.health.expect(())  # taken out, and in again before Envoy could see it
    proxy.health.expect((group,))
    await healthy(proxy, "app")


async def test_websockets(proxy: Proxy, port: int) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    group = TargetGroup("app", (Target("127.0.0.1", server.sockets[0].getsockname()[1]),))
    await proxy.apply(Desired((front(port, group),), (group,)))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"HELLO"
    # A target that drains keeps the connections that it has.
    leaving = TargetGroup("app", (Target("127.0.0.1", group.targets[0].port, draining=True),))
    await proxy.apply(Desired((front(port, group),), (leaving,)))
    assert (await proxy.active_requests("app"))["127.0.0.1", group.targets[0].port] == 1
    writer.write(b"still")
    assert await reader.readexactly(5) == b"STILL"
    writer.close()
    server.close()


async def test_an_envoy_that_dies_is_started_again(proxy: Proxy, port: int, target: StartTarget) -> None:
    app = await target("app")
    group = TargetGroup(
        "app", (app.registered(),), health_check=HealthCheck(path="/health", interval=1, timeout=1)
    )
    await proxy.apply(Desired((front(port, group),), (group,)))
    await healthy(proxy, "app")
    first = proxy.process.pid()
    assert first
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(10):
        while not await proxy.process.alive():
            await asyncio.sleep(0.05)
    assert proxy.process.pid() != first
    await healthy(proxy, "app")
    async with asyncio.timeout(10):
        while not proxy.sockets():  # it listens when it has the state again
            await asyncio.sleep(0.01)
    await proxy.apply(Desired((front(port, group),), (group,)))
    async with StrictLoad(port, connections=2) as load:
        await load.until(20)
    assert load.errors == []


async def test_an_envoy_that_dies_listens_again_when_its_port_is_free(
    proxy: Proxy, port: int, target: StartTarget
) -> None:
    app = await target("app")
    group = TargetGroup("app", (app.registered(),))
    await proxy.apply(Desired((front(port, group),), (group,)))
    first = proxy.process.pid()
    assert first
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(10):
            while proxy.process.pid() is not None:
                await asyncio.sleep(0.01)
            thief.bind(("127.0.0.1", port))
            thief.listen()
            while not proxy.trouble:
                await asyncio.sleep(0.05)
        assert "Address already in use" in proxy.trouble
    async with asyncio.timeout(10):
        while proxy.trouble:
            await asyncio.sleep(0.05)
    async with StrictLoad(port, connections=1) as load:
        await load.until(5)
    assert load.errors == []


async def test_metrics_tell_targets_from_load_balancer(proxy: Proxy, port: int, target: StartTarget) -> None:
    app = await target("app")
    group = TargetGroup("app", (app.registered(),))
    await proxy.apply(Desired((front(port, group),), (group,)))
    async with StrictLoad(port, path="/slow", connections=2) as load:
        await load.until(2)
    await app.stop()
    async with StrictLoad(port, connections=1) as broken:
        await broken.until(3)
    await asyncio.sleep(0.3)
    found = await proxy.metrics.collect()
    assert found.groups["app"].status_2xx == load.answers["app"]
    assert found.errors["app"][502] == len(broken.errors)
    slowest = max(found.groups["app"].latencies)
    assert slowest == pytest.approx(app.slow * 1000, rel=0.5)
    assert (await proxy.metrics.collect()).groups == {}
