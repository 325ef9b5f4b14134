"""Wake-ups: what waits is woken, and can always be cancelled."""

import asyncio

import pytest

from homeport.engine.durable.signals import Signals


@pytest.mark.parametrize("ticks", range(5))
async def test_who_is_woken_and_cancelled_at_once_is_cancelled(ticks):
    signals = Signals()

    async def listen():
        with signals.listen(["topic"]) as heard:
            while True:
                await heard.wait(60)

    task = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    signals.notify("topic")
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done, "the cancellation was lost"
    assert task.cancelled()


async def test_a_notification_before_the_wait_is_heard():
    signals = Signals()
    with signals.listen(["topic"]) as heard:
        signals.notify("topic")
        assert await heard.wait(60)
        assert not await heard.wait(0.01)
