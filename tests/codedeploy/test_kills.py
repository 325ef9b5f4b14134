"""The engine is killed in each lifecycle event: the deployment goes on, and no request is lost."""

import asyncio
import contextlib
from typing import Any

from botocore.exceptions import HTTPClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.conftest import Shop
from tests.ecs.conftest import web
from tests.waiting import until

PLACES = (
    "BeforeInstall begins.committed",
    "task set.done",
    "test traffic.done",
    "shift 100.done",
    "AfterAllowTraffic ends.before",
    "terminate.done",
)
WAYS_BACK = ("traffic back.done", "primary back.before", "task set gone.done")
SPEED = "10"


async def started(engine: RunningEngine) -> Shop:
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED=SPEED)
    return await asyncio.to_thread(Shop, engine, grace=200)


async def dies_at(engine: RunningEngine, place: str) -> None:
    """Restart the engine so that it dies there."""
    engine.stop()
    armed = f"codedeploy.deployment.{place}"
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED=SPEED, HOMEPORT_FAIL_AT=armed)


async def resumed(engine: RunningEngine) -> None:
    await asyncio.to_thread(engine.wait_dead, 120)
    await asyncio.to_thread(engine.start, HOMEPORT_CLOCK_SPEED=SPEED)


def newest(shop: Shop) -> str:
    """The last deployment: who asked for it may not have heard of it."""
    ids: list[str] = shop.api.list_deployments(applicationName="shop", deploymentGroupName="web")[
        "deployments"
    ]
    created = {id: shop.info(id)["createTime"] for id in ids}
    return max((id for id in ids if shop.info(id)["creator"] == "user"), key=lambda id: created[id])


async def test_a_killed_engine_ends_what_it_began(own_engine: RunningEngine):
    shop = await started(own_engine)
    shop.update(loadBalancerInfo=shop.with_test_listener())
    async with shop.load(connections=3) as load:
        for number, place in enumerate(PLACES, 2):
            await dies_at(own_engine, place)
            definition = shop.define(web(f"v{number}"))
            with contextlib.suppress(HTTPClientError):
                await asyncio.to_thread(shop.deploy, definition)
            await resumed(own_engine)
            info = await asyncio.to_thread(shop.succeeded, newest(shop))
            assert set(shop.events(info["deploymentId"]).values()) == {"Succeeded"}, place
            assert definition in info["revision"]["appSpecContent"]["content"]
            load.answers.clear()
            await load.until(10)
            assert set(load.answers) == {f"v{number}"}, place
    assert load.errors == []
    sets = await asyncio.to_thread(until, lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)
    assert sets[0]["status"] == "PRIMARY"


async def test_a_killed_engine_goes_back_all_the_way(own_engine: RunningEngine):
    shop = await started(own_engine)
    shop.waits(termination=60)
    async with shop.load(connections=3) as load:
        for place in WAYS_BACK:
            await dies_at(own_engine, place)
            id = shop.deploy(shop.define(web("bad")))
            await asyncio.to_thread(until, lambda id=id: waits(shop, id))
            with contextlib.suppress(HTTPClientError):
                await asyncio.to_thread(shop.api.stop_deployment, deploymentId=id, autoRollbackEnabled=True)
            await resumed(own_engine)
            info = await asyncio.to_thread(shop.ended, id)
            assert info["status"] == "Stopped"
            back = shop.info(info["rollbackInfo"]["rollbackDeploymentId"])
            assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
            load.answers.clear()
            await load.until(10)
            assert set(load.answers) == {"v1"}, place
    assert load.errors == []
    await asyncio.to_thread(until, lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)


def waits(shop: Shop, id: str) -> Any:
    return shop.info(id)["instanceTerminationWaitTimeStarted"]
