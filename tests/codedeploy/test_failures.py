"""Deployments of bad versions, and deployments that somebody stops: the old version goes on serving."""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.conftest import ROLLBACK, Shop
from tests.ecs.conftest import web
from tests.lambda_ import functions
from tests.waiting import until

HOOK = """
import json, os, urllib.request
def handler(event, context):
    import boto3
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["STATUS"],
    )
"""


def alarm(engine: RunningEngine, name: str = "errors") -> Any:
    """Make an alarm that is set by hand; the function that sets it."""
    cloudwatch = engine.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )

    def set_state(state: str) -> None:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="by hand")

    return set_state


async def test_a_version_that_crashes_gets_no_traffic_and_is_rolled_back(shop: Shop):
    blue = shop.ecs.service()["taskSets"][0]["id"]
    await asyncio.to_thread(shop.succeeded, shop.deploy(shop.define(web("v1"))))
    bad = shop.define("echo cannot open the database; exit 1")
    async with shop.load(connections=4) as load:
        info = await asyncio.to_thread(shop.ended, shop.deploy(bad))
        await load.until(load.answers.total() + 10)
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "ECS_UPDATE_ERROR")
    assert "its last lines: cannot open the database" in info["errorInformation"]["message"]
    assert shop.events(info["deploymentId"])["Install"] == "Failed"
    back = shop.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"] == {"rollbackTriggeringDeploymentId": info["deploymentId"]}
    assert back["revision"] == info["previousRevision"]
    assert shop.weights() == {"web": 0, "green": 100}
    kept = until(lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)
    assert kept[0]["id"] != blue and kept[0]["status"] == "PRIMARY"


async def test_an_alarm_brings_the_old_version_back_at_once(fast_shop):
    shop = await asyncio.to_thread(fast_shop)
    ring = alarm(shop.engine)
    shop.update(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    async with shop.load(connections=4) as load:
        id = shop.deploy(shop.define(web("v2")), "ECSCanary10Percent15Minutes")
        await asyncio.to_thread(until, shop.weights, lambda weights: weights == {"web": 90, "green": 10})
        ring("ALARM")
        info = await asyncio.to_thread(shop.ended, id)
        load.answers.clear()
        await load.until(30)
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert info["errorInformation"]["message"].endswith("Activated alarms: <errors>")
    assert shop.weights() == {"web": 100, "green": 0}

    definition = shop.define(web("v3"))
    ring("ALARM")  # it is on already when the deployment starts
    info = await asyncio.to_thread(shop.ended, shop.deploy(definition))
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert set(shop.events(info["deploymentId"]).values()) == {"Skipped"}


def test_a_stopped_deployment_is_rolled_back_when_that_is_wanted(shop: Shop):
    shop.waits(termination=60)
    id = shop.deploy(shop.define(web("v2")))
    until(lambda: shop.info(id), lambda info: info["instanceTerminationWaitTimeStarted"])
    assert shop.weights()["green"] == 100
    with pytest.raises(ClientError, match="already has an active Deployment"):
        shop.deploy(shop.define(web("v3")))
    shop.api.stop_deployment(deploymentId=id, autoRollbackEnabled=True)
    info = shop.ended(id)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert shop.weights() == {"web": 100, "green": 0}
    assert (
        until(lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)[0]["status"] == "PRIMARY"
    )
    with pytest.raises(ClientError, match="DeploymentAlreadyCompletedException"):
        shop.api.stop_deployment(deploymentId=id)

    id = shop.deploy(shop.define(web("v3")))
    until(lambda: shop.info(id), lambda info: info["instanceTerminationWaitTimeStarted"])
    shop.api.stop_deployment(deploymentId=id, autoRollbackEnabled=False)
    assert "rollbackInfo" not in shop.ended(id)
    assert shop.weights()["green"] == 100
    assert {each["status"] for each in shop.ecs.service()["taskSets"]} == {"PRIMARY", "ACTIVE"}
    shop.waits()
    shop.succeeded(shop.deploy(shop.define(web("v4"))))  # what was left is cleared away
    until(lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)


def test_nobody_continues_a_deployment_in_time_and_no_hook_answers(fast_shop):
    shop = fast_shop(autoRollbackConfiguration={"enabled": False})
    shop.waits(ready=3)
    info = shop.ended(shop.deploy(shop.define(web("v2"))))
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "TIMEOUT")
    assert info["errorInformation"]["message"].endswith("This time out period is 3 minutes.")
    with pytest.raises(ClientError, match="DeploymentAlreadyCompletedException"):
        shop.api.continue_deployment(deploymentId=info["deploymentId"])

    functions.role(shop.engine)
    functions.create(shop.engine, "def handler(event, context): pass", "silent", Timeout=60)
    id = shop.deploy(shop.define(web("v2")), hooks={"BeforeInstall": "silent"})
    until(lambda: shop.events(id)["BeforeInstall"], lambda status: status == "InProgress")
    shop.engine.stop()
    shop.engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="1200")  # an hour in three seconds
    info = shop.ended(id)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "TIMEOUT")
    assert "within one hour after a deployment hook is invoked" in info["errorInformation"]["message"]
    assert (info["completeTime"] - info["startTime"]).total_seconds() >= 3600
    assert shop.events(id)["BeforeInstall"] == "Failed"


def test_hooks_decide(shop: Shop):
    allowed = "arn:aws:iam::aws:policy/AWSCodeDeployFullAccess"
    functions.role(shop.engine, "function", "lambda.amazonaws.com", allowed)
    for name, status in (("good", "Succeeded"), ("bad", "Failed")):
        functions.create(shop.engine, HOOK, name, Timeout=60, Environment={"Variables": {"STATUS": status}})
    good = shop.deploy(shop.define(web("v2")), hooks={"BeforeInstall": "good", "AfterAllowTraffic": "good"})
    shop.succeeded(good)
    info = shop.ended(shop.deploy(shop.define(web("v3")), hooks={"AfterAllowTraffic": "bad"}))
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert shop.events(info["deploymentId"])["AfterAllowTraffic"] == "Failed"
    assert shop.weights() == {"web": 0, "green": 100}
    info = shop.ended(shop.deploy(shop.define(web("v4")), hooks={"BeforeInstall": "nothing"}))
    assert info["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"

    functions.create(shop.engine, "def handler(event, context): pass", "silent")
    id = shop.deploy(shop.define(web("v5")), hooks={"AfterInstall": "silent"})
    until(lambda: shop.events(id)["AfterInstall"], lambda status: status == "InProgress")
    shop.api.stop_deployment(deploymentId=id)  # the group's settings say that it goes back
    info = shop.ended(id)
    assert info["status"] == "Stopped" and info["rollbackInfo"]["rollbackDeploymentId"]
    assert shop.events(id)["AfterInstall"] == "Skipped"
    until(lambda: shop.ecs.service()["taskSets"], lambda sets: len(sets) == 1)


def test_the_role_needs_each_permission(engine: RunningEngine):
    shop = Shop(engine, autoRollbackConfiguration=ROLLBACK)
    iam = engine.client("iam")
    definition = shop.define(web("v2"), task={"executionRoleArn": functions.role(engine, "execution")})
    refused = {
        "ecs:CreateTaskSet": "AmazonECS",
        "iam:PassRole": "AmazonECS",
        "elasticloadbalancing:ModifyListener": "AmazonElasticLoadBalancingV2",
        "ecs:DescribeServices": "AmazonECS",
    }
    for action, service in refused.items():
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        iam.put_role_policy(RoleName="deployer", PolicyName="deny", PolicyDocument=document)
        error = shop.ended(shop.deploy(definition))["errorInformation"]
        assert error["code"] == "IAM_ROLE_PERMISSIONS"
        assert error["message"].startswith(
            f"The IAM role {shop.role} does not give you permission to perform operations in the following AWS "
            f"service: {service}."
        )
        assert f"is not authorized to perform: {action} on resource" in error["message"]
    assert shop.weights()["web"] in (1, 100)
