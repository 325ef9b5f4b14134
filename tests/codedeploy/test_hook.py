"""Updates of a stack with the hook AWS::CodeDeploy::BlueGreen, as their clients and callers see them."""

import asyncio

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.hooked import Hooked


async def test_an_update_brings_green_in_and_blue_out_and_no_request_is_lost(engine: RunningEngine):
    shop = await asyncio.to_thread(Hooked, engine)
    assert shop.weights() == {"Blue": 1}
    async with shop.load(connections=4) as load, shop.load(path="/cgi-bin/slow") as slow:
        await load.until(20)
        shop.update("v2")
        assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors, slow.errors) == ({"v2"}, [], [])
    assert shop.weights() == {"Green": 100, "Blue": 0}
    resources = shop.resources()
    assert {"GreenDefinition", "GreenTasks"} < set(resources)
    assert not {"BlueDefinition", "BlueTasks"} & set(resources)
    [green] = shop.task_sets()
    assert (green["status"], green["id"]) == ("PRIMARY", resources["GreenTasks"].rpartition("|")[2])
    info = shop.deployment()
    assert (info["status"], info["creator"], info["computePlatform"]) == ("Succeeded", "CloudFormation", "ECS")
    assert set(shop.lifecycle().values()) == {"Succeeded", "Skipped"}
    assert shop.target()["targetVersionWeight"] == 100.0
