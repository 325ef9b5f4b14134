"""Executions go on where a killed process left them: steps that were recorded do not run again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from homeport.engine import durable, store
from homeport.engine.durable.clock import Clock
from homeport.engine.durable.execution import Execution, ExecutionKind, Stopped
from homeport.engine.durable.failpoints import Failpoints
from homeport.engine.durable.once import forget, once
from homeport.engine.durable.runner import Runner
from homeport.engine.durable.signals import Signals
from homeport.engine.store.database import Scope, Store

SCOPE = Scope("123456789012", "us-east-1")
Body = Callable[[Execution], Awaitable[None]]


class Process:
    """One life of an engine over a database file."""

    def __init__(self, file: Path, body: Body, speed: float = 1.0) -> None:
        self.store = Store(file)
        packages = [
            (package.__name__, Path(package.__path__[0]) / "migrations") for package in (store, durable)
        ]
        self.store.migrate(packages)
        self.signals = Signals()
        self.failed: list[Exception] = []
        self.kind = ExecutionKind("tests.work", body, self._failed)
        self.runner = Runner(
            self.store, Clock(speed), self.signals, Failpoints(), lambda service, scope: None
        )
        self.runner.resume([self.kind])

    async def _failed(self, execution: Execution, error: Exception) -> None:
        self.failed.append(error)

    async def end(self) -> None:
        async with asyncio.timeout(5):
            while self.runner.running(self.kind, SCOPE, "one"):
                await asyncio.sleep(0.005)

    async def die(self) -> None:
        """As kill -9: nothing more is written."""
        await self.runner.close()
        self.store.close()


async def test_a_recorded_step_is_not_run_again(tmp_path: Path) -> None:
    effects: list[str] = []
    blocked = asyncio.Event()

    async def body(x: Execution) -> None:
        async def effect(name: str) -> str:
            effects.append(name)
            return name.upper()

        first = await x.step("first", lambda: effect("first"))
        if len(effects) == 1 and not blocked.is_set():
            blocked.set()
            await asyncio.sleep(60)
        await x.step("second", lambda: effect(first + "-second"))

    process = Process(tmp_path / "db", body)
    process.runner.start(process.kind, SCOPE, "one", {})
    await blocked.wait()
    await process.die()

    process = Process(tmp_path / "db", body)
    await process.end()

    assert effects == ["first", "FIRST-second"]


async def test_a_step_and_what_it_shows_commit_together(tmp_path: Path) -> None:
    async def body(x: Execution) -> None:
        async def effect() -> int:
            return 1

        def commit(_: int) -> None:
            process.store.execute("INSERT INTO engine_settings VALUES ('shown', 'yes')")
            raise RuntimeError("the machine breaks here")

        await x.step("show", effect, commit)

    process = Process(tmp_path / "db", body)
    process.runner.start(process.kind, SCOPE, "one", {})
    await process.end()

    assert isinstance(process.failed[0], RuntimeError)
    assert process.store.execute("SELECT * FROM engine_settings") == []


async def test_accepting_work_twice_runs_it_once(tmp_path: Path) -> None:
    runs: list[int] = []

    async def body(x: Execution) -> None:
        runs.append(x.input)

    process = Process(tmp_path / "db", body)
    with process.store.transaction():
        process.runner.start(process.kind, SCOPE, "one", 1)
        process.runner.start(process.kind, SCOPE, "one", 2)
        assert runs == []
    await process.end()

    assert runs == [1]


async def test_work_whose_transaction_fails_was_never_accepted(tmp_path: Path) -> None:
    async def body(x: Execution) -> None:
        raise AssertionError("must not run")

    process = Process(tmp_path / "db", body)
    with pytest.raises(ValueError), process.store.transaction():
        process.runner.start(process.kind, SCOPE, "one", {})
        raise ValueError
    await asyncio.sleep(0.02)

    assert not process.runner.running(process.kind, SCOPE, "one")
    assert process.failed == []


async def test_a_stop_request_survives_and_reaches_the_sleeper(tmp_path: Path) -> None:
    async def body(x: Execution) -> None:
        await x.sleep("long", 3600)

    process = Process(tmp_path / "db", body)
    process.runner.start(process.kind, SCOPE, "one", {})
    await asyncio.sleep(0.02)
    process.runner.request_stop(process.kind, SCOPE, "one", "a person said so")
    await process.end()

    assert isinstance(process.failed[0], Stopped)
    assert str(process.failed[0]) == "a person said so"


async def test_what_is_done_once_is_not_done_again_before_its_step_is_recorded(tmp_path: Path) -> None:
    made: list[str] = []

    async def make() -> str:
        made.append("a key")
        return f"key {len(made)}"

    async def wait() -> None:
        await asyncio.sleep(0)

    store_ = Store(tmp_path / "db")
    store_.migrate([(durable.__name__, Path(durable.__path__[0]) / "migrations")])

    assert [once(store_, "token", "make", make) for _ in range(2)] == ["key 1", "key 1"]
    forget(store_, "token")
    assert once(store_, "token", "make", make) == "key 2"
    with pytest.raises(RuntimeError, match="wait waits"):
        once(store_, "token", "wait", wait)
    store_.close()


async def test_a_sleep_ends_when_it_would_have(tmp_path: Path) -> None:
    async def body(x: Execution) -> None:
        await x.sleep("a week", 7 * 86400)

    process = Process(tmp_path / "db", body, speed=10_000_000.0)
    process.runner.start(process.kind, SCOPE, "one", {})
    await process.end()

    assert process.failed == []


async def test_until_hears_a_topic_between_two_looks(tmp_path: Path) -> None:
    ready = False
    looks = 0

    async def body(x: Execution) -> None:
        async def poll() -> bool | None:
            nonlocal looks
            looks += 1
            return True if ready else None

        await x.until(poll, topics=["it is there"], every=3600)

    process = Process(tmp_path / "db", body)
    process.runner.start(process.kind, SCOPE, "one", {})
    await asyncio.sleep(0.02)
    ready = True
    process.signals.notify("it is there")
    await process.end()

    assert looks == 2


async def test_until_gives_up_at_its_deadline(tmp_path: Path) -> None:
    async def body(x: Execution) -> None:
        async def poll() -> None:
            return None

        await x.until(poll, every=0.01, deadline=process.runner.clock.now() + 0.05)

    process = Process(tmp_path / "db", body)
    process.runner.start(process.kind, SCOPE, "one", {})
    await process.end()

    assert isinstance(process.failed[0], TimeoutError)
