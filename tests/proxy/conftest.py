from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from homeport.engine.proxy.proxy import Proxy
from tests.proxy.targets import TestTarget


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    """A proxy of its own with a real Envoy."""
    proxy = Proxy(tmp_path / "proxy")
    await proxy.start()
    yield proxy
    await proxy.terminate()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def target() -> AsyncIterator[Callable[..., Awaitable[TestTarget]]]:
    """Starts targets by name; they end with the test."""
    started: list[TestTarget] = []

    async def start(name: str, **settings: object) -> TestTarget:
        made = await TestTarget(name, **settings).start()  # type: ignore[arg-type]
        started.append(made)
        return made

    yield start
    for each in started:
        await each.stop()
