"""Services without a load balancer: kept at their count, rolled, taken back."""

import subprocess
from typing import Any

import pytest

from tests.ecs.conftest import NETWORK, Alarm, Ecs
from tests.waiting import until


@pytest.fixture
def fast(own_engine):
    """An engine whose clock runs ten times as fast, so that waits of 40 s pass."""
    own_engine.start(HOMEPORT_CLOCK_SPEED="10")
    own_engine.client("ecs").create_cluster()
    return Ecs(own_engine)


def test_a_service_reaches_its_count_and_says_so(ecs: Ecs):
    ecs.serve(ecs.define("exec sleep 600"), 3)
    service = ecs.until_stable()
    assert service["deployments"][0]["rolloutStateReason"].endswith("completed.")
    until(ecs.events, lambda events: events[0] == "(service web) has reached a steady state.")
    assert any("has started 3 tasks: (task" in event for event in ecs.events())
    ecs.engine.client("ecs").get_waiter("services_stable").wait(services=["web"])


def test_killed_tasks_are_replaced(ecs: Ecs):
    ecs.serve(ecs.define("exec sleep 600"), 2)
    ecs.until_stable()
    before = {task["taskArn"] for task in ecs.tasks()}
    for task in ecs.tasks():
        subprocess.run(
            ["docker", "kill", task["containers"][0]["runtimeId"]], check=True, capture_output=True
        )

    def replaced(tasks):
        running = [task["taskArn"] for task in tasks if task["lastStatus"] == "RUNNING"]
        return len(running) == 2 and not before & set(running)

    until(ecs.tasks, replaced)


def test_scaling_in_and_deleting(ecs: Ecs):
    ecs.serve(ecs.define("exec sleep 600"), 3)
    ecs.until_stable()
    ecs.api.update_service(service="web", desiredCount=1)
    until(ecs.tasks, lambda tasks: len(tasks) == 1)
    ecs.api.delete_service(service="web", force=True)
    until(ecs.service, lambda service: service["status"] == "INACTIVE")
    ecs.api.get_waiter("services_inactive").wait(services=["web"])


def test_what_ended_an_hour_ago_is_forgotten(own_engine):
    own_engine.start(HOMEPORT_CLOCK_SPEED="1200")
    own_engine.client("ecs").create_cluster()
    ecs = Ecs(own_engine)
    definition = ecs.define("exec sleep 600")
    alone = ecs.run(ecs.define("true"))
    ecs.serve(definition)
    until(ecs.tasks, lambda tasks: tasks)
    ecs.api.delete_service(service="web", force=True)
    reasons = until(
        lambda: (ecs.api.describe_tasks(tasks=[alone]), ecs.api.describe_services(services=["web"])),
        lambda answers: all(answer["failures"] for answer in answers),
    )
    assert [answer["failures"][0]["reason"] for answer in reasons] == ["MISSING", "MISSING"]
    assert ecs.api.list_tasks(family="app", desiredStatus="STOPPED")["taskArns"] == []
    ecs.serve(definition)
    assert ecs.service()["status"] == "ACTIVE"


def test_a_new_revision_replaces_the_old_within_the_bounds(fast: Ecs):
    first, second = fast.define("exec sleep 600"), fast.define("exec sleep 601")
    fast.serve(first, 4, deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 125})
    fast.until_stable()
    fast.api.update_service(service="web", taskDefinition=second)
    most = 0

    def rolled(service):
        nonlocal most
        most = max(most, service["runningCount"] + service["pendingCount"])
        return len(service["deployments"]) == 1 and service["deployments"][0]["rolloutState"] == "COMPLETED"

    until(fast.service, rolled, 60)
    assert {task["taskDefinitionArn"] for task in fast.tasks()} == {second}
    assert most <= 5
    arn = fast.service()["serviceArn"]
    records = fast.api.list_service_deployments(service=arn)["serviceDeployments"]
    assert [record["status"] for record in records] == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_crashing_version_is_taken_back_and_explained(ecs: Ecs):
    good, bad = ecs.define("exec sleep 600"), ecs.define("echo cannot open database; exit 7")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    ecs.serve(good, 2, deploymentConfiguration=breaker)
    ecs.until_stable()
    old = {task["taskArn"] for task in ecs.tasks()}
    ecs.api.update_service(service="web", taskDefinition=bad)
    until(
        ecs.service,
        lambda service: any("rolling back to" in event["message"] for event in service["events"]),
    )
    service = ecs.until_stable()
    assert service["taskDefinition"] == good
    assert {task["taskArn"] for task in ecs.tasks()} == old
    record = ecs.api.list_service_deployments(service="web")["serviceDeployments"][0]
    assert record["status"] == "ROLLBACK_SUCCESSFUL"
    assert "exited with code 7; its last lines: cannot open database" in record["statusReason"]
    detail = ecs.api.describe_service_deployments(serviceDeploymentArns=[record["serviceDeploymentArn"]])
    breaker = detail["serviceDeployments"][0]["deploymentCircuitBreaker"]
    assert (breaker["status"], breaker["threshold"]) == ("TRIGGERED", 3)
    assert breaker["failureCount"] >= 3  # two tasks may fail in the same moment


def test_a_service_too_big_for_the_machine_says_so(ecs: Ecs):
    big = ecs.api.register_task_definition(
        family="big",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="16384",
        memory="122880",
        containerDefinitions=[{"name": "app", "image": "homeport-test/busybox:2"}],
    )["taskDefinition"]["taskDefinitionArn"]
    ecs.serve(big)
    events = until(ecs.events, lambda events: events)
    assert "was unable to place a task. Reason: Capacity is unavailable at this time." in events[0]


def test_tasks_are_spread_over_capacity_providers_and_spot_is_interrupted_and_replaced(ecs: Ecs):
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 2},
    ]
    wanted: dict[str, Any] = {
        "serviceName": "web",
        "taskDefinition": ecs.define("trap 'exit 0' TERM; while true; do sleep 0.05; done"),
        "desiredCount": 4,
        "capacityProviderStrategy": strategy,
        "networkConfiguration": NETWORK,
    }
    with pytest.raises(ecs.api.exceptions.InvalidParameterException, match="not associated with the cluster"):
        ecs.api.create_service(**wanted)
    ecs.api.put_cluster_capacity_providers(
        cluster="default", capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=[]
    )
    ecs.api.create_service(**wanted)
    ecs.until_stable()
    providers = [task["capacityProviderName"] for task in ecs.tasks()]
    assert sorted(providers) == ["FARGATE", "FARGATE", "FARGATE_SPOT", "FARGATE_SPOT"]
    spot, plain = (
        next(task["taskArn"] for task in ecs.tasks() if task["capacityProviderName"] == name)
        for name in ("FARGATE_SPOT", "FARGATE")
    )
    tag = [{"key": "homeport:spot-interruption", "value": "now"}]
    with pytest.raises(ecs.api.exceptions.InvalidParameterException, match="FARGATE_SPOT"):
        ecs.api.tag_resource(resourceArn=plain, tags=tag)
    ecs.api.tag_resource(resourceArn=spot, tags=tag)
    stopped = ecs.until_stopped(spot)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "SpotInterruption",
        "Your Spot Task was interrupted.",
    )
    assert stopped["containers"][0]["exitCode"] == 0
    until(ecs.tasks, lambda tasks: [task["lastStatus"] for task in tasks] == ["RUNNING"] * 4)


def test_a_deployment_is_stopped_and_rolled_back(ecs: Ecs):
    good, stuck = ecs.define("exec sleep 600"), ecs.define("exec sleep 601", healthCheck=NEVER)
    ecs.serve(good, 1)
    ecs.until_stable()
    ecs.api.update_service(service="web", taskDefinition=stuck)
    under_way = ecs.api.list_service_deployments(service="web", status=["IN_PROGRESS"])["serviceDeployments"][
        0
    ]
    arn = under_way["serviceDeploymentArn"]
    service = ecs.service()
    assert service["currentServiceDeployment"] == arn
    new, old = service["currentServiceRevisions"]
    assert (new["arn"], new["requestedTaskCount"]) == (under_way["targetServiceRevisionArn"], 1)
    assert (old["requestedTaskCount"], old["runningTaskCount"], old["pendingTaskCount"]) == (0, 1, 0)
    ecs.api.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert ecs.until_stable()["taskDefinition"] == good

    def status():
        found = ecs.api.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
        return found["status"]

    until(status, lambda status: status == "ROLLBACK_SUCCESSFUL")
    until(
        lambda: ecs.service()["currentServiceRevisions"],
        lambda found: found == [old | {"requestedTaskCount": 1}],
    )
    assert ecs.service()["currentServiceDeployment"] == arn


def test_failing_health_checks_of_containers_are_told(fast: Ecs):
    fast.serve(fast.define("exec sleep 600", healthCheck=NEVER | {"retries": 1}))
    stopped = until(lambda: fast.tasks(status="STOPPED"), lambda tasks: tasks, 60)[0]
    assert stopped["stoppedReason"] == "Task failed container health checks"
    assert any("its health check exited with code 1: not today" in event for event in fast.events())


NEVER = {"command": ["CMD-SHELL", "echo not today; exit 1"], "interval": 5, "retries": 10}


def test_an_alarm_during_a_deployment_takes_it_back(fast: Ecs):
    errors, old = (Alarm(fast.engine, name) for name in ("errors", "old-trouble"))
    alarms = {"alarmNames": ["errors", "old-trouble"], "enable": True, "rollback": True}
    configuration = {"alarms": alarms, "bakeTimeInMinutes": 10}
    good, bad = fast.define("exec sleep 600"), fast.define("exec sleep 601")
    fast.serve(good, deploymentConfiguration=configuration | {"bakeTimeInMinutes": 0})
    fast.until_stable()
    old.ring()  # before it begins
    fast.api.update_service(service="web", taskDefinition=bad, deploymentConfiguration=configuration)
    until(fast.tasks, lambda tasks: [task["taskDefinitionArn"] for task in tasks] == [bad], 60)
    assert fast.service()["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    errors.ring()
    until(fast.service, lambda service: service["taskDefinition"] == good)
    record = fast.api.list_service_deployments(service="web")["serviceDeployments"][0]
    assert record["status"].startswith("ROLLBACK_")
    assert record["statusReason"] == "ECS deployment alarms: alarm detected: errors."


def test_a_crash_loop_without_a_breaker_is_told_and_slowed_down(ecs: Ecs):
    ecs.serve(ecs.define("echo no such host: db; exit 2"))
    impaired = "is unable to consistently start tasks successfully."
    until(ecs.events, lambda events: any(impaired in event for event in events))
    told = "stopped: the container app exited with code 2; its last lines: no such host: db."
    assert any(event.endswith(told) for event in ecs.events())
    assert len(ecs.tasks(status="STOPPED")) <= 5
