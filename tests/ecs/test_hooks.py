"""Lifecycle hooks: what happens when nobody answers in time, and what EventBridge hears of them."""

import json

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.ecs.conftest import web
from tests.ecs.shifting import Shop, pause, role
from tests.events.test_delivery import given_rule, messages
from tests.lambda_ import functions
from tests.waiting import until

WAITS = 'def handler(event, context): return {"hookStatus": "IN_PROGRESS", "callBackDelay": 5}'


def test_what_nobody_answers_in_time_goes_on_or_back(own_engine: RunningEngine):
    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="30")  # a minute passes in two seconds
    own_engine.client("ecs").create_cluster()
    shop = Shop(own_engine, HealthCheckIntervalSeconds=150)  # a task does not start faster for that
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Hook State Change"]}
    given_rule(own_engine, "hooks", "/events/hooks", EventPattern=json.dumps(pattern))
    functions.role(own_engine)
    silent = {
        "hookTargetArn": functions.create(own_engine, WAITS),
        "roleArn": role(own_engine, "invoker", "arn:aws:iam::aws:policy/service-role/AWSLambdaRole"),
        "lifecycleStages": ["POST_SCALE_UP"],
    }
    shop.serve("BLUE_GREEN")

    def limited(hook, action: str):
        return {**hook, "timeoutConfiguration": {"timeoutInMinutes": 1, "action": action}}

    hooks = [limited(pause("PRE_SCALE_UP"), "CONTINUE"), limited(silent, "CONTINUE")]
    shop.deploy(web("v2"), lifecycleHooks=hooks)
    seen = shop.until_status("SUCCESSFUL")
    assert (seen["finishedAt"] - seen["startedAt"]).total_seconds() >= 120
    for hook, words in (
        (pause("PRE_SCALE_UP"), "PRE_SCALE_UP pause hook timed out."),
        (silent, "POST_SCALE_UP lifecycle hook timed out."),
    ):
        arn = shop.deploy(web("v3"), lifecycleHooks=[limited(hook, "ROLLBACK")])
        seen = shop.until_status("ROLLBACK_SUCCESSFUL")
        assert seen["statusReason"] == f"Service deployment rolled back because {words}"

    events = until(lambda: _told(own_engine, arn), lambda events: len(events) == 2)
    names = [(each["eventType"], each["eventName"]) for each in events]
    assert names == [("INFO", "HOOK_IN_PROGRESS"), ("ERROR", "HOOK_TIMED_OUT")]
    assert (events[1]["lifecycleStage"], events[1]["hookType"]) == ("POST_SCALE_UP", "AWS_LAMBDA")
    assert events[1]["hookId"].startswith("ecs-lambda-")


def _told(engine: RunningEngine, arn: str):
    events = [json.loads(each) for each in messages(engine, "/events/hooks")]
    return [each["detail"] for each in events if each["resources"] == [arn]]


def test_scaling_up_takes_a_day_at_most(own_engine: RunningEngine):
    own_engine.start("--auth", "permissive")
    own_engine.client("ecs").create_cluster()
    shop = Shop(own_engine)
    shop.serve("BLUE_GREEN")
    before = shop.split()
    # no machine has room for it
    huge = shop.ecs.define(
        web("v2"), portMappings=[{"containerPort": 8080}], task={"cpu": "16384", "memory": "122880"}
    )
    shop.ecs.api.update_service(service="web", taskDefinition=huge)
    until(shop.deployment, lambda found: found["lifecycleStage"] == "SCALE_UP")
    own_engine.stop()
    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="40000")  # a day passes in two seconds
    seen = shop.until_status("ROLLBACK_SUCCESSFUL")
    assert (
        seen["statusReason"] == "Service deployment rolled back because SCALE_UP did not end within 24 hours."
    )
    assert shop.split() == before


def test_who_hands_a_role_to_a_service_must_be_allowed_to(engine: RunningEngine):
    engine.client("ecs").create_cluster()
    shop = Shop(engine)
    invoker = role(engine, "invoker", "arn:aws:iam::aws:policy/service-role/AWSLambdaRole")
    functions.role(engine)
    execution = functions.role(engine, "execution", "ecs-tasks.amazonaws.com")
    ports = [{"containerPort": 8080}]
    definition = shop.ecs.define("true", portMappings=ports, task={"executionRoleArn": execution})
    hook = {
        "hookTargetArn": f"arn:aws:lambda:{engine.region}:{engine.account}:function:f",
        "roleArn": invoker,
        "lifecycleStages": ["PRE_SCALE_UP"],
    }
    ecs = _deployer(engine)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    wanted = {"serviceName": "web", "taskDefinition": definition, "desiredCount": 0, "launchType": "FARGATE"}
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {shop.role}"):
        ecs.create_service(**wanted, networkConfiguration=network, loadBalancers=shop.balanced())
    service = ecs.create_service(**wanted, networkConfiguration=network)["service"]["serviceArn"]
    configuration = {"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]}
    for change, denied in (
        ({"loadBalancers": shop.balanced()}, shop.role),
        ({"deploymentConfiguration": configuration}, invoker),
    ):
        with pytest.raises(ClientError, match=f"iam:PassRole on resource: {denied}"):
            ecs.update_service(service=service, **change)
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {execution}"):
        ecs.run_task(taskDefinition=definition, launchType="FARGATE", networkConfiguration=network)


def _deployer(engine: RunningEngine):
    """ECS as a user who may do everything in it, but hand over no role."""
    iam = engine.client("iam")
    iam.create_user(UserName="deployer")
    statement = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="deployer", PolicyName="ecs", PolicyDocument=document)
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return engine.client("ecs", **keys)
