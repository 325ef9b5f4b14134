"""Canary and linear deployments, hooks that are functions, and an engine that dies amid a deployment."""

import asyncio
import json

import pytest

from tests.ecs.conftest import web
from tests.ecs.shifting import Shop, pause, role
from tests.lambda_ import functions
from tests.waiting import until

AT_EACH_STEP = [pause("PRE_PRODUCTION_TRAFFIC_SHIFT")]


@pytest.fixture
def shop(engine):
    engine.client("ecs").create_cluster()
    return Shop(engine)


async def test_a_canary_gets_its_share_first_and_a_bad_one_gets_no_more(shop: Shop):
    canary = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 0}
    await asyncio.to_thread(shop.serve, "CANARY", 1, canaryConfiguration=canary)
    blue = shop.split().index(100)
    for answer in ("CONTINUE", "ROLLBACK"):
        green = 1 - blue
        async with shop.load(connections=6, pause=0.02) as load:
            await asyncio.to_thread(shop.deploy, web("v2"), lifecycleHooks=AT_EACH_STEP)
            await asyncio.to_thread(shop.until_stage, "PRE_PRODUCTION_TRAFFIC_SHIFT")
            assert shop.split()[green] == 0
            await asyncio.to_thread(shop.go_on)
            await asyncio.to_thread(until, lambda: shop.split()[green] == 20)  # noqa: B023
            seen = await asyncio.to_thread(shop.until_stage, "PRE_PRODUCTION_TRAFFIC_SHIFT")
            assert seen["targetServiceRevision"]["requestedProductionTrafficWeight"] == 20.0
            assert seen["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"] == 80.0
            if answer == "CONTINUE":
                load.answers.clear()
                await load.until(400)
                assert 0.1 < load.answers["v2"] / load.answers.total() < 0.3  # six standard deviations
            await asyncio.to_thread(shop.go_on, answer)
            ended = "SUCCESSFUL" if answer == "CONTINUE" else "ROLLBACK_SUCCESSFUL"
            await asyncio.to_thread(shop.until_status, ended)
        assert load.errors == []
        blue = shop.split().index(100)
        assert blue == (green if answer == "CONTINUE" else 1 - green)


def test_a_linear_deployment_takes_equal_steps(shop: Shop):
    linear = {"stepPercent": 40.0, "stepBakeTimeInMinutes": 0}
    shop.serve("LINEAR", 1, linearConfiguration=linear)
    green = shop.split().index(0)
    shop.deploy(web("v2"), lifecycleHooks=AT_EACH_STEP)
    for share in (0, 40, 80):
        shop.until_stage("PRE_PRODUCTION_TRAFFIC_SHIFT")
        assert (shop.split()[green], shop.split()[1 - green]) == (share, 100 - share)
        hook = shop.deployment()["lifecycleHookDetails"][0]["hookId"]
        shop.go_on()
        until(lambda: hook not in [each["hookId"] for each in shop.deployment()["lifecycleHookDetails"]])  # noqa: B023
    shop.until_status("SUCCESSFUL")
    assert shop.split()[green] == 100


async def test_a_canary_that_answers_500_is_taken_back_by_what_the_load_balancer_measures(shop: Shop):
    canary = {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 10}
    await asyncio.to_thread(shop.serve, "CANARY", 1, canaryConfiguration=canary)
    before = shop.split()
    shop.engine.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": "LoadBalancer", "Value": shop.balancer.arn.partition("loadbalancer/")[2]}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=3,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    async with shop.load(path="/cgi-bin/slow", connections=12) as load:
        await asyncio.to_thread(shop.deploy, web("v2", fails=True), alarms=alarms)
        seen = await asyncio.to_thread(shop.until_status, "ROLLBACK_SUCCESSFUL")
        share = len(load.errors) / load.answers.total()
    assert "of the alarm(s) in state ALARM: errors." in seen["statusReason"]
    assert seen["alarms"]["triggeredAlarmNames"] == ["errors"]
    assert shop.split() == before
    assert set(load.errors) == {"http/1.1 500 internal server error"} and share < 0.5


HOOK = """
import json

def handler(event, context):
    print(json.dumps(event))
    details = event.get("hookDetails") or {}
    if details.get("fail"):
        return {"hookStatus": "FAILED"}
    if not details.get("seen"):
        return {"hookStatus": "IN_PROGRESS", "callBackDelay": 0, "hookDetails": {"seen": True}}
    return {"hookStatus": "SUCCEEDED"}
"""


def test_functions_judge_a_deployment_and_hear_of_its_rollback(shop: Shop):
    engine = shop.engine
    functions.role(engine)
    target = functions.create(engine, HOOK)
    invoker = role(engine, "invoker", "arn:aws:iam::aws:policy/service-role/AWSLambdaRole")

    def hook(stage: str, **details: bool):
        return {
            "hookTargetArn": target,
            "roleArn": invoker,
            "lifecycleStages": [stage],
            "hookDetails": details,
        }

    shop.serve("BLUE_GREEN")
    before = shop.split()
    hooks = [
        hook("TEST_TRAFFIC_SHIFT"),
        hook("PRODUCTION_TRAFFIC_SHIFT"),
        hook("POST_PRODUCTION_TRAFFIC_SHIFT", fail=True),
    ]
    arn = shop.deploy(web("v2"), lifecycleHooks=hooks)
    seen = shop.until_status("ROLLBACK_SUCCESSFUL")
    assert seen["statusReason"] == (
        "Service deployment rolled back because POST_PRODUCTION_TRAFFIC_SHIFT lifecycle hook(s) failed. Lifecycle "
        f"hook target {target} returned FAILED status."
    )
    assert shop.split() == before
    lines = [line for line in functions.log_of(engine).splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    green, blue = seen["targetServiceRevision"]["arn"], seen["sourceServiceRevisions"][0]["arn"]
    told = [(each["lifecycleStage"], each["executionDetails"]["productionTrafficWeights"]) for each in events]
    shifted = ("PRODUCTION_TRAFFIC_SHIFT", {green: 100, blue: 0})
    back = ("PRODUCTION_TRAFFIC_SHIFT", {green: 0, blue: 100})
    assert [told.count(each) for each in (shifted, back)] == [2, 2]
    assert told.count(("POST_PRODUCTION_TRAFFIC_SHIFT", {})) == 1
    assert all(each["resourceArn"] == arn for each in events)
    assert events[0]["executionDetails"] == {
        "serviceArn": shop.ecs.service()["serviceArn"],
        "targetServiceRevisionArn": green,
        "testTrafficWeights": {green: 100, blue: 0},
        "productionTrafficWeights": {},
    }
    assert events[1]["hookDetails"] == {"seen": True}
    assert events[0]["executionId"] == events[1]["executionId"]


async def test_an_engine_that_is_killed_in_every_stage_loses_no_request(own_engine):
    deaths = (
        "SCALE_UP work.done",
        "TEST_TRAFFIC_SHIFT work.done",
        "PRODUCTION_TRAFFIC_SHIFT 50.0 work.done",
        "PRODUCTION_TRAFFIC_SHIFT 100.0 work.before",
        "CLEAN_UP.before",
    )
    own_engine.start()
    own_engine.client("ecs").create_cluster()
    shop = Shop(own_engine)
    canary = {"canaryPercent": 50.0, "canaryBakeTimeInMinutes": 0}
    await asyncio.to_thread(shop.serve, "CANARY", 1, canaryConfiguration=canary)
    before = shop.split()
    async with shop.load(connections=4) as load:
        own_engine.kill()
        await asyncio.to_thread(_start, own_engine, deaths[0])
        definition = shop.define(web("v2"))
        shop.ecs.api.update_service(service="web", taskDefinition=definition)
        for following in (*deaths[1:], None):
            await asyncio.to_thread(own_engine.wait_dead, 120)
            await asyncio.to_thread(_start, own_engine, following)
        await asyncio.to_thread(shop.until_status, "SUCCESSFUL")
        assert shop.split() == before[::-1]
        await asyncio.to_thread(
            shop.deploy, web("v3"), lifecycleHooks=[pause("POST_PRODUCTION_TRAFFIC_SHIFT")]
        )
        await asyncio.to_thread(shop.until_stage, "POST_PRODUCTION_TRAFFIC_SHIFT")
        own_engine.kill()
        await asyncio.to_thread(_start, own_engine, "back traffic.before")
        await asyncio.to_thread(shop.stop)
        await asyncio.to_thread(own_engine.wait_dead, 120)
        await asyncio.to_thread(_start, own_engine, None)
        await asyncio.to_thread(shop.until_status, "ROLLBACK_SUCCESSFUL")
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    assert shop.split() == before[::-1]


def _start(engine, death: str | None) -> None:
    """Start the engine, to die at a point of the deployment."""
    engine.start(**({"HOMEPORT_FAIL_AT": f"ecs.deployment.{death}"} if death else {}))
