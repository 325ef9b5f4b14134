"""The engine is killed amid a stack's blue/green deployment: both services go on, and no request is lost."""

import asyncio
import contextlib
from collections.abc import Callable

from botocore.exceptions import HTTPClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.hooked import Hooked
from tests.waiting import until

STACK = "cloudformation.operation"
WAY_BACK = (f"{STACK}.restore.Production.change.done", f"{STACK}.rollback.end.before")
WAY_THERE = (
    f"{STACK}.hook.done",
    f"{STACK}.create.GreenTasks.create.done",
    f"{STACK}.shift 100 production.Production.change.done",
)


async def dies_at(engine: RunningEngine, places: tuple[str, ...], begin: Callable[[], object]) -> None:
    """Let the engine die at one place after the other, once something has begun."""
    for number, place in enumerate(places):
        await start(engine, HOMEPORT_FAIL_AT=place)
        if number == 0:
            with contextlib.suppress(HTTPClientError):
                await asyncio.to_thread(begin)
        await asyncio.to_thread(engine.wait_dead, 120)
    await start(engine)


async def start(engine: RunningEngine, **environment: str) -> None:
    engine.stop()
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED="10", **environment)


async def test_a_killed_engine_takes_an_update_back_and_carries_one_out(own_engine: RunningEngine):
    await start(own_engine)
    shop = await asyncio.to_thread(Hooked, own_engine)
    before = shop.resources()
    async with shop.load(connections=3) as load:
        shop.update(shop.template("bad", AdditionalOptions={"TerminationWaitTimeInMinutes": 60}))
        await asyncio.to_thread(until, lambda: shop.deployment()["instanceTerminationWaitTimeStarted"])
        await dies_at(own_engine, WAY_BACK, lambda: shop.api.cancel_update_stack(StackName="shop"))
        assert await asyncio.to_thread(shop.ended) == "UPDATE_ROLLBACK_COMPLETE", shop.reasons()
        load.answers.clear()
        await load.until(10)
        assert set(load.answers) == {"v1"}
        assert (shop.weights(), shop.resources()) == ({"Blue": 1}, before)
        assert [each["id"] for each in shop.task_sets()] == [before["BlueTasks"].rpartition("|")[2]]
        assert shop.deployment()["status"] == "Stopped"

        await dies_at(own_engine, WAY_THERE, lambda: shop.update("v2"))
        assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
        load.answers.clear()
        await load.until(10)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    assert shop.weights() == {"Green": 100, "Blue": 0}
    [green] = shop.task_sets()
    assert (green["status"], green["id"]) == ("PRIMARY", shop.resources()["GreenTasks"].rpartition("|")[2])
    stack = shop.deployment()["externalId"]
    assert len(shop.codedeploy.list_deployments(externalId=stack)["deployments"]) == 2
