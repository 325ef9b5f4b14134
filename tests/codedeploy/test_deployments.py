"""Deployments of good versions: what their clients and callers see."""

import asyncio
import json

from tests.codedeploy.conftest import Shop, appspec
from tests.ecs.conftest import web
from tests.waiting import until


async def test_all_traffic_goes_over_at_once_and_no_request_is_lost(shop: Shop):
    blue = shop.ecs.service()["taskSets"][0]["id"]
    definition = shop.define(web("v2"))
    async with shop.load(connections=4) as load:
        await load.until(20)
        id = shop.deploy(definition)
        await asyncio.to_thread(
            shop.api.get_waiter("deployment_successful").wait,
            deploymentId=id,
            WaiterConfig={"Delay": 1, "MaxAttempts": 90},
        )
        load.answers.clear()
        await load.until(20)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    assert shop.weights() == {"web": 0, "green": 100}
    info = shop.info(id)
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert (info["creator"], info["computePlatform"]) == ("user", "ECS")
    assert set(shop.events(id).values()) == {"Succeeded", "Skipped"}  # there is no test traffic
    sets = {each["taskSetLabel"]: each for each in shop.target(id)["taskSetsInfo"]}
    assert sets["Green"]["trafficWeight"] == 100.0
    assert sets["Blue"]["identifer"] == blue
    assert (sets["Green"]["status"], sets["Green"]["targetGroup"]) == ("PRIMARY", {"name": "green"})
    service = shop.ecs.service()
    assert service["taskDefinition"] == definition
    assert service["loadBalancers"][0]["targetGroupArn"] == shop.green
    green = next(each for each in service["taskSets"] if each["status"] == "PRIMARY")
    assert (green["startedBy"], green["externalId"]) == ("CODE_DEPLOY", id)
    group = shop.api.get_deployment_group(applicationName="shop", deploymentGroupName="web")
    assert group["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"] == id
    await asyncio.to_thread(shop.succeeded, shop.deploy(shop.define(web("v3"))))
    assert shop.weights() == {"web": 100, "green": 0}


async def test_the_replacement_is_tried_on_the_test_listener_before_it_may_go_on(shop: Shop):
    shop.update(loadBalancerInfo=shop.with_test_listener())
    shop.waits(ready=5, termination=5)
    bucket = "revisions"
    shop.engine.client("s3").create_bucket(Bucket=bucket)
    content = appspec(shop.define(web("v2")))
    shop.engine.client("s3").put_object(Bucket=bucket, Key="appspec.json", Body=content)
    revision = {"bucket": bucket, "key": "appspec.json", "bundleType": "JSON"}
    id = shop.deploy("", revision={"revisionType": "S3", "s3Location": revision})
    await asyncio.to_thread(shop.until_status, id, "Ready")
    assert shop.weights(shop.test)["green"] == 100
    assert shop.weights() == {"web": 100, "green": 0}
    trial, users = shop.load(), shop.load()
    trial.port = shop.balancer.bound(shop.ports[1])
    async with trial, users:
        await trial.until(10)
        await users.until(10)
    assert (set(trial.answers), set(users.answers)) == ({"v2"}, {"v1"})

    shop.api.continue_deployment(deploymentId=id, deploymentWaitType="READY_WAIT")
    info = await asyncio.to_thread(
        until, lambda: shop.info(id), lambda info: info["instanceTerminationWaitTimeStarted"]
    )
    assert info["status"] == "InProgress"
    assert {each["status"] for each in shop.ecs.service()["taskSets"]} == {"PRIMARY", "ACTIVE"}
    shop.api.continue_deployment(deploymentId=id, deploymentWaitType="TERMINATION_WAIT")
    await asyncio.to_thread(shop.succeeded, id)
    assert set(shop.events(id).values()) == {"Succeeded"}


async def test_traffic_goes_over_as_a_canary_or_in_equal_steps(fast_shop):
    shop = await asyncio.to_thread(fast_shop)
    id = shop.deploy(shop.define(web("v2")), "ECSCanary10Percent5Minutes")
    await asyncio.to_thread(until, shop.weights, lambda weights: weights == {"web": 90, "green": 10})

    def shown() -> dict[str, float]:
        return {each["taskSetLabel"]: each["trafficWeight"] for each in shop.target(id)["taskSetsInfo"]}

    await asyncio.to_thread(until, shown, lambda shares: shares == {"Blue": 90.0, "Green": 10.0})
    await asyncio.to_thread(shop.succeeded, id)
    events = {each["lifecycleEventName"]: each for each in shop.target(id)["lifecycleEvents"]}
    traffic = events["AllowTraffic"]
    assert 300 <= (traffic["endTime"] - traffic["startTime"]).total_seconds() < 500

    shop.api.create_deployment_config(
        deploymentConfigName="my.thirds",
        computePlatform="ECS",
        trafficRoutingConfig={
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 33, "linearInterval": 1},
        },
    )
    content = {"content": appspec(shop.define(web("v3")))}
    revision = {"revisionType": "String", "string": content}
    id = shop.deploy("", "my.thirds", revision=revision)
    seen: list[int] = []

    def look() -> str:
        percent = shop.weights()["web"]
        if percent not in seen:
            seen.append(percent)
        return str(shop.info(id)["status"])

    await asyncio.to_thread(until, look, lambda status: status == "Succeeded")
    assert seen == [0, 33, 66, 99, 100]


def test_those_who_want_to_know_are_told(shop: Shop):
    sns, sqs = shop.engine.client("sns"), shop.engine.client("sqs")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    events = shop.engine.client("events")
    events.put_rule(Name="codedeploy", EventPattern=json.dumps({"source": ["aws.codedeploy"]}))
    events.put_targets(Rule="codedeploy", Targets=[{"Id": "1", "Arn": arn}])
    wanted = ["DeploymentStart", "DeploymentSuccess"]
    waits = shop.settings()["blueGreenDeploymentConfiguration"]
    waits["deploymentReadyOption"]["waitTimeInMinutes"] = 5  # counts with STOP_DEPLOYMENT only
    shop.update(
        triggerConfigurations=[{"triggerName": "all", "triggerTargetArn": topic, "triggerEvents": wanted}],
        blueGreenDeploymentConfiguration=waits,
    )
    id = shop.deploy(shop.define(web("v2")))
    told: list[dict[str, str]] = []

    def receive() -> list[dict[str, str]]:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        told.extend(json.loads(each["Body"]) for each in answer.get("Messages", []))
        return told

    until(receive, lambda told: len(told) >= 4)
    messages = [each["status"] for each in told if each.get("eventTriggerName") == "all"]
    states = [each["detail"]["state"] for each in told if each.get("source") == "aws.codedeploy"]  # type: ignore[index]
    assert sorted(messages) == ["INPROGRESS", "SUCCEEDED"] and sorted(states) == ["START", "SUCCESS"]
    assert shop.info(id)["status"] == "Succeeded"
