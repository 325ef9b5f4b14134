"""Updates of a stack with the hook AWS::CodeDeploy::BlueGreen, as their clients and callers see them."""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.hooked import Hooked
from tests.ecs.conftest import Alarm
from tests.lambda_ import functions
from tests.waiting import until

BALANCED = {"Blue": 0, "Green": 100}
ANSWER = """
import os, boto3
def handler(event, context):
    told = dict(deploymentId=event["DeploymentId"], status=os.environ["STATUS"])
    told["lifecycleEventHookExecutionId"] = event["LifecycleEventHookExecutionId"]
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(**told)
"""


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
    assert shop.weights() == BALANCED
    resources = shop.resources()
    assert {"GreenDefinition", "GreenTasks"} < set(resources)
    assert not {"BlueDefinition", "BlueTasks"} & set(resources)
    [green] = shop.task_sets()
    assert (green["status"], green["id"]) == ("PRIMARY", resources["GreenTasks"].rpartition("|")[2])
    info = shop.deployment()
    assert (info["status"], info["creator"], info["computePlatform"]) == (
        "Succeeded",
        "CloudFormation",
        "ECS",
    )
    assert set(shop.lifecycle().values()) == {"Succeeded", "Skipped"}
    assert shop.target()["targetVersionWeight"] == 100.0
    told = [event["HookStatus"] for event in shop.events() if "HookStatus" in event]
    assert told == ["HOOK_IN_PROGRESS", "HOOK_COMPLETE_SUCCEEDED"]

    with pytest.raises(ClientError, match="No updates are to be performed"):
        shop.update("v2")
    made = shop.template("v2")
    made["Resources"]["Service"]["Properties"]["DesiredCount"] = (
        2  # no deployment: green just gets another task
    )
    shop.update(made)
    assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
    assert shop.deployment()["deploymentId"] == info["deploymentId"]
    made["Resources"]["BlueTasks"]["Properties"]["PlatformVersion"] = "1.4.0"  # a task set is replaced, too
    shop.update(made)
    assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
    assert shop.weights() == {"Blue": 100, "Green": 0}
    [blue] = shop.task_sets()
    assert (blue["id"], blue["runningCount"]) == (shop.resources()["BlueTasks"].rpartition("|")[2], 2)
    stack = shop.deployment()["externalId"]
    shop.api.delete_stack(StackName="shop")
    await asyncio.to_thread(until, lambda: not shop.api.describe_stacks()["Stacks"])
    assert shop.codedeploy.list_deployments(externalId=stack)["deployments"] == []


async def test_a_version_that_does_not_start_is_taken_back_with_its_own_reason(engine: RunningEngine):
    shop = await asyncio.to_thread(Hooked, engine)
    before = shop.resources()
    async with shop.load(connections=4) as load:
        made = shop.template("bad")
        [container] = made["Resources"]["BlueDefinition"]["Properties"]["ContainerDefinitions"]
        container["Command"] = ["sh", "-c", "echo no database; exit 3"]
        shop.update(made)
        assert await asyncio.to_thread(shop.ended) == "UPDATE_ROLLBACK_COMPLETE"
        await load.until(load.answers.total() + 20)
    assert (set(load.answers), load.errors) == ({"v1"}, [])
    assert "unable to consistently start tasks" in shop.reasons()
    assert "failed to create: [GreenTasks]" in shop.reasons()
    assert shop.resources() == before
    assert [each["status"] for each in shop.task_sets()] == ["PRIMARY"]
    info = shop.deployment()
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "CLOUDFORMATION_STACK_FAILURE")
    assert "GreenTasks" in info["errorInformation"]["message"]
    assert shop.lifecycle()["Install"] == "Failed"


async def test_a_cancelled_update_goes_back_to_blue_though_green_has_all_the_traffic(engine: RunningEngine):
    shop = await asyncio.to_thread(Hooked, engine, AdditionalOptions={"TerminationWaitTimeInMinutes": 60})
    before = shop.resources()
    async with shop.load(connections=4) as load, shop.load(path="/cgi-bin/slow") as slow:
        shop.update("v2")
        await asyncio.to_thread(until, lambda: shop.deployment()["instanceTerminationWaitTimeStarted"])
        assert shop.weights() == BALANCED
        load.answers.clear()
        await load.until(20)
        assert set(load.answers) == {"v2"}
        id = shop.deployment()["deploymentId"]
        with pytest.raises(ClientError, match="cancel the update of") as refused:
            shop.codedeploy.stop_deployment(deploymentId=id)
        code = refused.value.response["Error"]["Code"]
        assert code == "UnsupportedActionForDeploymentTypeException"
        shop.api.cancel_update_stack(StackName="shop")
        assert await asyncio.to_thread(shop.ended) == "UPDATE_ROLLBACK_COMPLETE", shop.reasons()
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors, slow.errors) == ({"v1"}, [], [])
    assert (shop.weights(), shop.resources()) == ({"Blue": 1}, before)
    [blue] = shop.task_sets()
    assert (blue["status"], blue["id"]) == ("PRIMARY", before["BlueTasks"].rpartition("|")[2])
    assert shop.deployment()["status"] == "Stopped"

    alarm = Alarm(engine, "errors")  # as AWS's guide has it: alarms are the stack's
    trigger = {"Arn": alarm.arn, "Type": "AWS::CloudWatch::Alarm"}
    shop.update("v3", RollbackConfiguration={"RollbackTriggers": [trigger]})
    await asyncio.to_thread(until, lambda: shop.deployment()["instanceTerminationWaitTimeStarted"])
    alarm.ring()
    assert await asyncio.to_thread(shop.ended) == "UPDATE_ROLLBACK_COMPLETE", shop.reasons()
    assert f"The following rollback triggers are in ALARM state: [{alarm.arn}]" in shop.reasons()
    assert (shop.weights(), shop.resources()) == ({"Blue": 1}, before)
    assert shop.deployment()["status"] == "Failed"


async def test_functions_try_green_on_the_test_listener_before_it_gets_traffic(engine: RunningEngine):
    """As the hook's role, to which AWS's policy lets functions called CodeDeployHook_… be invoked."""
    policy = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForCloudFormation"
    functions.role(engine, "hooks", "codedeploy.amazonaws.com", policy)
    functions.role(
        engine,
        "function",
        "lambda.amazonaws.com",
        functions.LOGS,
        "arn:aws:iam::aws:policy/AdministratorAccess",
    )
    names = {"Succeeded": "CodeDeployHook_good", "Failed": "CodeDeployHook_bad"}
    for status, name in names.items():
        functions.create(engine, ANSWER, name, Environment={"Variables": {"STATUS": status}})

    def hook(status: str) -> dict[str, Any]:
        return {"ServiceRole": "hooks", "LifecycleEventHooks": {"AfterAllowTestTraffic": names[status]}}

    shop = await asyncio.to_thread(Hooked, engine)
    async with shop.load(connections=4) as load:
        shop.update(shop.with_test_listener(shop.template("bad", **hook("Failed"))))
        assert await asyncio.to_thread(shop.ended) == "UPDATE_ROLLBACK_COMPLETE"
        assert "'Shift' of type AWS::CodeDeploy::BlueGreen failed with message: " in shop.reasons()
        assert "validation functions failed" in shop.reasons()
        assert shop.deployment()["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
        assert shop.weights("Test") == {"Blue": 1}
        await load.until(load.answers.total() + 20)
        assert set(load.answers) == {"v1"}
        good = hook("Succeeded") | {"AdditionalOptions": {"TerminationWaitTimeInMinutes": 60}}
        shop.update(shop.with_test_listener(shop.template("v2", **good)))
        await asyncio.to_thread(until, lambda: shop.deployment()["instanceTerminationWaitTimeStarted"])
        assert shop.weights("Test") == BALANCED
        id = shop.deployment()["deploymentId"]
        shop.codedeploy.continue_deployment(deploymentId=id, deploymentWaitType="TERMINATION_WAIT")
        assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
    assert load.errors == []
    assert set(shop.lifecycle().values()) == {"Succeeded"}


def test_who_may_not_begin_a_deployment_is_told_so(engine: RunningEngine):
    shop = Hooked(engine)
    policies = [
        f"arn:aws:iam::aws:policy/{name}FullAccess" for name in ("AmazonECS_", "ElasticLoadBalancing")
    ]
    role = functions.role(engine, "stacks", "cloudformation.amazonaws.com", *policies)
    shop.update("v2", RoleARN=role)
    assert shop.ended() == "UPDATE_ROLLBACK_COMPLETE"
    assert "is not authorized to perform: codedeploy:CreateCloudFormationDeployment" in shop.reasons()
    statements = [
        {"Effect": "Allow", "Action": "codedeploy:CreateCloudFormationDeployment", "Resource": "*"},
        {"Effect": "Deny", "Action": "codedeploy:GetDeployment", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    engine.client("iam").put_role_policy(RoleName="stacks", PolicyName="deploy", PolicyDocument=document)
    shop.update("v2")
    assert shop.ended() == "UPDATE_ROLLBACK_COMPLETE"
    assert "is not authorized to perform: codedeploy:GetDeployment" in shop.reasons()
    assert until(lambda: shop.deployment()["status"], lambda status: status == "Failed")
