"""The engine is killed in each lifecycle event: the deployment goes on, and no request is lost."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import HTTPClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.conftest import Shop
from tests.ecs.conftest import web
from tests.waiting import until

PLACES = (
    "BeforeInstall begins.committed",
    "attach.done",
    "task set.done",
    "AfterInstall begins.committed",
    "test traffic.done",
    "AfterAllowTestTraffic ends.before",
    "BeforeAllowTraffic begins.committed",
    "shift 100.done",
    "primary.done",
    "AfterAllowTraffic ends.before",
    "terminate.done",
    "end.before",
)
WAYS_BACK = (
    "traffic back.done",
    "test traffic back.before",
    "primary back.before",
    "task set gone.done",
    "last look.done",
)
SPEED = "10"


async def started(engine: RunningEngine) -> Shop:
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED=SPEED)
    shop = await asyncio.to_thread(Shop, engine, grace=200)
    shop.update(loadBalancerInfo=shop.with_test_listener())
    return shop


async def dies_at(engine: RunningEngine, places: Iterable[str], begin: Callable[[], object]) -> None:
    """Let the engine die at one place after the other, once something has begun."""
    for number, place in enumerate(places):
        await start(engine, HOMEPORT_FAIL_AT=f"codedeploy.deployment.{place}")
        if number == 0:
            with contextlib.suppress(HTTPClientError):
                await asyncio.to_thread(begin)
        await asyncio.to_thread(engine.wait_dead, 120)
    await start(engine)


async def start(engine: RunningEngine, **environment: str) -> None:
    engine.stop()
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED=SPEED, **environment)


def newest(shop: Shop) -> str:
    """The last deployment: who asked for it may not have heard of it."""
    ids: list[str] = shop.api.list_deployments(applicationName="shop", deploymentGroupName="web")[
        "deployments"
    ]
    return ids[0]


async def test_a_killed_engine_ends_what_it_began(own_engine: RunningEngine):
    shop = await started(own_engine)
    async with shop.load(connections=3) as load:
        definition = shop.define(web("v2"))
        await dies_at(own_engine, PLACES, lambda: shop.deploy(definition))
        info = await asyncio.to_thread(shop.succeeded, newest(shop))
        load.answers.clear()
        await load.until(10)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    assert set(shop.events(info["deploymentId"]).values()) == {"Succeeded"}
    assert definition in info["revision"]["appSpecContent"]["content"]
    sets = await asyncio.to_thread(until, lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)
    assert sets[0]["status"] == "PRIMARY"


async def test_a_killed_engine_goes_back_all_the_way(own_engine: RunningEngine):
    shop = await started(own_engine)
    shop.waits(termination=60)
    async with shop.load(connections=3) as load:
        id = shop.deploy(shop.define(web("bad")))
        await asyncio.to_thread(until, lambda: waits(shop, id))
        stop = partial(shop.api.stop_deployment, deploymentId=id, autoRollbackEnabled=True)
        await dies_at(own_engine, WAYS_BACK, stop)
        info = await asyncio.to_thread(shop.ended, id)
        load.answers.clear()
        await load.until(10)
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert info["status"] == "Stopped"
    back = shop.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    await asyncio.to_thread(until, lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)


def waits(shop: Shop, id: str) -> Any:
    return shop.info(id)["instanceTerminationWaitTimeStarted"]
