"""Services behind a load balancer: what their clients see."""

import asyncio
import subprocess

from tests.ecs.conftest import Ecs, Site, web
from tests.waiting import until


async def test_a_new_version_takes_over_and_no_request_is_lost(site: Site):
    ecs = site.ecs
    await asyncio.to_thread(site.serve, site.define(web("v1")), 2)
    await asyncio.to_thread(ecs.until_stable)
    async with site.load(connections=6) as load, site.load(path="/cgi-bin/slow", connections=3) as slow:
        await load.until(50)
        for version in ("v2", "v3"):
            definition = await asyncio.to_thread(site.define, web(version))
            await asyncio.to_thread(ecs.api.update_service, service="web", taskDefinition=definition)
            await asyncio.to_thread(ecs.until_stable)
            load.answers.clear()
            await load.until(20)
            assert set(load.answers) == {version}
    assert (load.errors, slow.errors) == ([], [])
    assert any("has begun draining connections on" in event for event in ecs.events())


async def test_an_engine_that_is_killed_amid_a_deployment_loses_no_request(own_engine):
    own_engine.start()
    own_engine.client("ecs").create_cluster()
    ecs = Ecs(own_engine)
    site = Site(ecs)
    await asyncio.to_thread(site.serve, site.define(web("v1")), 2)
    await asyncio.to_thread(ecs.until_stable)
    second = site.define(web("v2"))
    async with site.load(connections=4) as load, site.load(path="/cgi-bin/slow", connections=2) as slow:
        await load.until(20)
        ecs.api.update_service(service="web", taskDefinition=second)
        for pause in (0.3, 0.8, 1.2):
            await asyncio.sleep(pause)
            await asyncio.to_thread(own_engine.restart)
        ecs = Ecs(own_engine)
        await asyncio.to_thread(ecs.until_stable)
        load.answers.clear()
        await load.until(20)
    assert set(load.answers) == {"v2"}
    assert (load.errors, slow.errors) == ([], [])


def test_a_wrong_port_is_named_with_the_right_one(site: Site):
    ecs = site.ecs
    site.serve(site.define(web("v1", port=9090)), deploymentConfiguration=BREAKER)
    until(ecs.service, lambda service: service["deployments"][0]["rolloutState"] == "FAILED", 90)
    reason = ecs.service()["deployments"][0]["rolloutStateReason"]
    assert reason.startswith("ECS deployment circuit breaker: tasks failed to start.")
    assert (
        "Nothing listens on port 8080; the task listens on port 9090: correct the container port." in reason
    )


def test_a_health_check_path_that_answers_404_is_named(site: Site):
    ecs = site.ecs
    elbv2 = site.balancer.elbv2
    elbv2.modify_target_group(TargetGroupArn=site.group, HealthCheckPath="/nowhere")
    site.serve(site.define(web("v1")), deploymentConfiguration=BREAKER)
    stopped = until(lambda: ecs.tasks(status="STOPPED"), lambda tasks: tasks, 60)[0]
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in (target-group {site.group})"
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    reasons = [event for event in ecs.events() if "is unhealthy in (target-group" in event]
    assert "404" in reasons[-1]


def test_killed_tasks_leave_the_target_group_and_are_replaced(site: Site):
    ecs = site.ecs
    site.serve(site.define(web("v1")), 2)
    ecs.until_stable()
    before = {task["taskArn"] for task in ecs.tasks()}
    for task in ecs.tasks():
        subprocess.run(
            ["docker", "kill", task["containers"][0]["runtimeId"]], check=True, capture_output=True
        )
    until(ecs.tasks, lambda tasks: len(tasks) == 2 and not before & {task["taskArn"] for task in tasks})
    ecs.until_stable()
    site.balancer.healthy(site.group)


BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


async def test_bad_versions_are_taken_back_while_the_old_one_serves(site: Site):
    ecs = site.ecs
    good = site.define(web("v1"))
    await asyncio.to_thread(site.serve, good, 2, deploymentConfiguration=BREAKER)
    await asyncio.to_thread(ecs.until_stable)
    bad = {
        "CannotPullContainerError": site.define("true", image="127.0.0.1:1/nothing:v9"),
        "its last lines: cannot open the database": site.define("echo cannot open the database; exit 1"),
        "Nothing listens on port 8080; the task listens on port 9090": site.define(web("v2", port=9090)),
    }
    async with site.load(connections=3) as load, site.load(path="/cgi-bin/slow", connections=2) as slow:
        for cause, definition in bad.items():
            await asyncio.to_thread(ecs.api.update_service, service="web", taskDefinition=definition)
            await asyncio.to_thread(until, ecs.service, lambda service: service["taskDefinition"] == good, 90)
            await asyncio.to_thread(ecs.until_stable)
            record = ecs.api.list_service_deployments(service="web")["serviceDeployments"][0]
            assert record["status"] == "ROLLBACK_SUCCESSFUL"
            assert cause in record["statusReason"]
    assert set(load.answers) == {"v1"}
    assert (load.errors, slow.errors) == ([], [])
