"""Stopping takes a bounded time, whatever tasks do when they are cancelled."""

from __future__ import annotations

import asyncio

import pytest

from homeport.engine.durable import ending


async def test_a_task_that_swallows_one_cancellation_ends_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ending, "_PATIENCE", 0.05)
    swallowed = 0

    async def stubborn(times: float) -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > times:
                    raise

    task = asyncio.create_task(stubborn(1))
    await asyncio.sleep(0)
    await ending.end([task])
    assert task.cancelled()


async def test_a_task_that_never_ends_is_left_and_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ending, "_PATIENCE", 0.05)
    leave = asyncio.Event()

    async def never() -> None:
        while not leave.is_set():
            try:
                await leave.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(never(), name="the build of shop")
    await asyncio.sleep(0)
    await ending.end([task])
    assert "the build of shop does not end" in caplog.text and "test_ending.py" in caplog.text
    leave.set()
    await task
