"""Blue/green deployments by ECS itself: what their clients see, and what AWS's API says meanwhile."""

import asyncio

import pytest
from botocore.exceptions import ClientError

from tests.ecs.conftest import Alarm, web
from tests.ecs.shifting import POLICY, Shop, free_port, pause, role
from tests.waiting import until

CRASH = "echo no database; exit 1"
BREAKER = {"enable": True, "rollback": True}


@pytest.fixture
def shop(engine):
    engine.client("ecs").create_cluster()
    return Shop(engine)


async def test_green_is_tested_and_takes_over_and_no_request_is_lost(shop: Shop):
    await asyncio.to_thread(shop.serve, "BLUE_GREEN", 2)
    before = shop.split()
    async with shop.load(connections=4) as load, shop.load(path="/cgi-bin/slow", connections=2) as slow:
        await asyncio.to_thread(shop.deploy, web("v2"), lifecycleHooks=[pause("POST_TEST_TRAFFIC_SHIFT")])
        seen = await asyncio.to_thread(shop.until_stage, "POST_TEST_TRAFFIC_SHIFT")
        assert _weights(seen["targetServiceRevision"]) == (0.0, 100.0)
        assert _weights(seen["sourceServiceRevisions"][0]) == (100.0, 0.0)
        assert shop.split() == before and shop.split(shop.test) == before[::-1]
        async with shop.load(test=True) as test:
            await test.until(10)
        assert (set(test.answers), set(load.answers)) == ({"v2"}, {"v1"})
        await asyncio.to_thread(shop.go_on)
        seen = await asyncio.to_thread(shop.until_status, "SUCCESSFUL")
        load.answers.clear()
        await load.until(20)
    assert set(load.answers) == {"v2"}
    assert (load.errors, slow.errors) == ([], [])
    assert shop.split() == before[::-1]
    assert _weights(seen["targetServiceRevision"]) == (100.0, 100.0)
    arn = seen["targetServiceRevision"]["arn"]
    revision = shop.ecs.api.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"][0]
    green = shop.groups[shop.split().index(100)]
    assert revision["resolvedConfiguration"]["loadBalancers"] == [
        {"targetGroupArn": green, "productionListenerRule": shop.production}
    ]
    assert len(shop.ecs.service()["deployments"]) == 1


def _weights(revision):
    return revision["requestedProductionTrafficWeight"], revision["requestedTestTrafficWeight"]


async def test_a_person_takes_it_back_at_any_stage(shop: Shop):
    await asyncio.to_thread(shop.serve, "BLUE_GREEN")
    before, good = shop.split(), shop.ecs.service()["taskDefinition"]
    stages = {
        "PRE_SCALE_UP": "ROLLBACK",
        "POST_SCALE_UP": "ABORT",
        "PRE_PRODUCTION_TRAFFIC_SHIFT": "ROLLBACK",
        "POST_PRODUCTION_TRAFFIC_SHIFT": "ABORT",
        "BAKE_TIME": "ROLLBACK",
    }
    async with shop.load(connections=3) as load:
        for stage, kind in stages.items():
            hooks = [] if stage == "BAKE_TIME" else [pause(stage)]
            await asyncio.to_thread(shop.deploy, web("v2"), lifecycleHooks=hooks, bakeTimeInMinutes=5)
            await asyncio.to_thread(shop.until_stage, stage)
            shop.stop(kind)
            seen = await asyncio.to_thread(
                shop.until_status, "STOPPED" if kind == "ABORT" else "ROLLBACK_SUCCESSFUL"
            )
            assert seen["statusReason"] == "The service deployment was stopped by the user."
            assert ("rollback" in seen) == (kind == "ROLLBACK")
            assert (shop.split(), shop.split(shop.test)) in [(before, before), (before, before[::-1])]
            load.answers.clear()
            await load.until(10)
            assert set(load.answers) == {"v1"}, stage
    assert load.errors == []
    assert shop.ecs.service()["taskDefinition"] == good


async def test_a_person_takes_it_back_while_the_old_tasks_drain(shop: Shop):
    await asyncio.to_thread(shop.serve, "BLUE_GREEN", script=web("v1", seconds=8))
    before, good = shop.split(), shop.ecs.service()["taskDefinition"]
    tasks = shop.ecs.api.list_tasks(serviceName="web")["taskArns"]
    async with shop.load(connections=2) as load, shop.load(path="/cgi-bin/slow", connections=2) as slow:
        await asyncio.to_thread(shop.deploy, web("v2"))
        await asyncio.to_thread(until, shop.deployment, lambda found: found["lifecycleStage"] == "CLEAN_UP")
        for _ in range(2):  # who asks again is told no other
            shop.stop()
        await asyncio.to_thread(shop.until_status, "ROLLBACK_SUCCESSFUL")
        load.answers.clear()
        await load.until(10)
    assert set(load.answers) == {"v1"}
    assert (load.errors, slow.errors) == ([], [])
    assert (shop.split(), shop.ecs.service()["taskDefinition"]) == (before, good)
    assert shop.ecs.api.list_tasks(serviceName="web")["taskArns"] == tasks, (
        "they are called back, not replaced"
    )
    with pytest.raises(ClientError, match="ConflictException"):
        shop.stop()


def test_a_task_whose_role_may_not_deregister_it_says_so_and_waits_for_the_permission(shop: Shop):
    shop.serve("BLUE_GREEN")
    [task] = shop.ecs.api.list_tasks(serviceName="web")["taskArns"]
    iam = shop.engine.client("iam")
    iam.detach_role_policy(RoleName="shift", PolicyArn=POLICY)
    shop.ecs.api.update_service(service="web", desiredCount=0)
    until(shop.ecs.events, lambda events: any("failed to deregister targets" in each for each in events))
    told = [each for each in shop.ecs.events() if "failed to deregister targets" in each]
    assert len(told) == 1 and "elasticloadbalancing:DeregisterTargets" in told[0]
    iam.attach_role_policy(RoleName="shift", PolicyArn=POLICY)
    until(lambda: shop.ecs.api.describe_tasks(tasks=[task])["tasks"][0]["lastStatus"] == "STOPPED")


async def test_a_green_that_crashes_never_gets_traffic(shop: Shop):
    await asyncio.to_thread(shop.serve, "BLUE_GREEN", deploymentCircuitBreaker=BREAKER)
    async with shop.load(connections=3) as load:
        await asyncio.to_thread(shop.deploy, CRASH)
        seen = await asyncio.to_thread(shop.until_status, "ROLLBACK_SUCCESSFUL")
    assert seen["statusReason"].startswith(
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    )
    assert "no database" in seen["statusReason"]
    assert seen["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert any("deployment failed: Service deployment rolled back" in each for each in shop.ecs.events())


def test_an_alarm_takes_it_back_while_it_bakes(shop: Shop):
    errors, old = (Alarm(shop.engine, name) for name in ("errors", "old"))
    alarms = {"alarmNames": ["errors", "old"], "enable": True, "rollback": True}
    shop.serve("BLUE_GREEN", alarms=alarms)
    old.ring()  # before the deployment
    before = shop.split()
    shop.deploy(web("v2"), bakeTimeInMinutes=5)
    shop.until_stage("BAKE_TIME")
    assert shop.split() == before[::-1]
    errors.ring()
    until(shop.split, lambda split: split == before)
    seen = shop.until_status("ROLLBACK_SUCCESSFUL")
    assert seen["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": ["errors", "old"],
        "triggeredAlarmNames": ["errors"],
    }


def test_a_pause_that_is_answered_with_rollback_or_by_nobody(shop: Shop):
    shop.serve("BLUE_GREEN")
    arn = shop.deploy(web("v2"), lifecycleHooks=[pause("PRE_SCALE_UP")])
    shop.until_stage("PRE_SCALE_UP")
    for id, words in {
        "nonsense": "hookId must follow the format",
        "ecs-pause-x": "is either completed, unavailable, or not associated",
    }.items():
        with pytest.raises(ClientError, match=words):
            shop.ecs.api.continue_service_deployment(serviceDeploymentArn=arn, hookId=id)
    shop.go_on("ROLLBACK")
    seen = shop.until_status("ROLLBACK_SUCCESSFUL")
    assert "PRE_SCALE_UP pause hook" in seen["statusReason"]
    with pytest.raises(ClientError, match="not allowed for service deployment in terminal states"):
        shop.ecs.api.continue_service_deployment(serviceDeploymentArn=arn, hookId="ecs-pause-x")


def test_another_deployment_takes_the_place_of_one_that_waits(shop: Shop):
    shop.serve("BLUE_GREEN")
    before = shop.split()
    first = shop.deploy(web("v2"), lifecycleHooks=[pause("POST_PRODUCTION_TRAFFIC_SHIFT")])
    shop.until_stage("POST_PRODUCTION_TRAFFIC_SHIFT")
    shop.deploy(web("v3"), lifecycleHooks=[pause("RECONCILE_SERVICE")])
    seen = shop.until_stage("RECONCILE_SERVICE")
    assert len(seen["sourceServiceRevisions"]) == 2
    assert shop.split() == before
    shop.go_on()
    shop.until_status("SUCCESSFUL")
    assert shop.split() == before[::-1]
    answer = shop.ecs.api.describe_service_deployments(serviceDeploymentArns=[first])
    assert answer["serviceDeployments"][0]["status"] == "STOPPED"


async def test_another_load_balancer_amid_a_deployment_takes_no_request_from_the_one_before(shop: Shop):
    await asyncio.to_thread(shop.serve, "BLUE_GREEN")
    before = shop.split()
    await asyncio.to_thread(shop.deploy, web("v2"), lifecycleHooks=[pause("POST_PRODUCTION_TRAFFIC_SHIFT")])
    await asyncio.to_thread(shop.until_stage, "POST_PRODUCTION_TRAFFIC_SHIFT")
    other = shop.rule(free_port(), 0)
    async with shop.load(connections=3) as load:
        shop.ecs.api.update_service(
            service="web",
            loadBalancers=shop.balanced(productionListenerRule=other, testListenerRule=None),
            deploymentConfiguration={"lifecycleHooks": [pause("POST_SCALE_UP")]},
        )
        await asyncio.to_thread(shop.until_stage, "POST_SCALE_UP")
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert shop.split() == shop.split(shop.test) == before
    shop.go_on()
    await asyncio.to_thread(shop.until_status, "SUCCESSFUL")
    assert shop.split(other) == before[::-1]


def test_the_infrastructure_role_needs_its_permissions(shop: Shop):
    shop.serve("BLUE_GREEN")
    powerless = role(shop.engine, "powerless", policy=None)
    shop.ecs.api.update_service(service="web", loadBalancers=shop.balanced(roleArn=powerless))
    seen = shop.until_status("ROLLBACK_SUCCESSFUL")
    assert f"missing permissions on ECS Infrastructure Role '{powerless}'" in seen["statusReason"]


def test_the_first_deployment_has_nothing_to_go_back_to(shop: Shop):
    configuration = {"strategy": "BLUE_GREEN", "deploymentCircuitBreaker": BREAKER}
    shop.ecs.serve(shop.define(CRASH), loadBalancers=shop.balanced(), deploymentConfiguration=configuration)
    seen = shop.until_status("ROLLBACK_FAILED")
    assert seen["statusReason"].startswith("No rollback candidate was found to run the rollback.")
    shop.deploy(web("v2"))
    shop.until_status("SUCCESSFUL")
