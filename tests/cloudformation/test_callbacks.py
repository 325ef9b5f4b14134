"""Resources that other programs carry out."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import PARAMETER, Stack
from tests.waiting import until


def put(url: str, **message: Any) -> None:
    request = urllib.request.Request(url, json.dumps(message).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=10).close()


def test_a_wait_condition_waits_for_its_signals(engine: RunningEngine):
    template = """
      Resources:
        Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
        Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: "600", Count: 2}}
      Outputs: {Data: {Value: !GetAtt Wait.Data}}
    """
    stack = Stack(engine)
    stack.client.create_stack(StackName="app", TemplateBody=template)
    until(lambda: "Wait CREATE_IN_PROGRESS" in stack.reasons)

    for id in ("one", "two"):
        put(stack.physical("Handle"), Status="SUCCESS", UniqueId=id, Data=f"data of {id}", Reason="done")

    stack.wait("stack_create_complete")
    assert json.loads(stack.outputs["Data"]) == {"one": "data of one", "two": "data of two"}


def test_nobody_fills_the_disk_by_a_callback(engine: RunningEngine):
    url = f"{engine.url}/_cloudformation/stack/Thing/token"
    with pytest.raises(urllib.error.HTTPError, match="413"):
        put(url, Status="SUCCESS", Data="x" * 70_000)


def test_a_custom_resource_is_made_by_who_hears_its_topic(engine: RunningEngine):
    sqs, sns = engine.client("sqs"), engine.client("sns")
    queue = sqs.create_queue(QueueName="work")["QueueUrl"]
    topic = sns.create_topic(Name="make")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def event() -> dict[str, Any]:
        receive = {"QueueUrl": queue, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 0}
        message = until(lambda: sqs.receive_message(**receive).get("Messages"))[0]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    template = f"""
      Resources:
        Thing: {{Type: Custom::Thing, Properties: {{ServiceToken: "{topic}", Size: 3}}}}
        P: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !GetAtt Thing.Color}}}}
    """
    stack = Stack(engine)
    stack.client.create_stack(StackName="app", TemplateBody=template)
    asked = event()
    assert (asked["RequestType"], asked["ResourceProperties"]["Size"]) == ("Create", "3")
    put(asked["ResponseURL"], Status="SUCCESS", PhysicalResourceId="thing-1", Data={"Color": "red"})
    stack.wait("stack_create_complete")
    assert stack.physical("Thing") == "thing-1"
    parameter = engine.client("ssm").get_parameter(Name=stack.physical("P"))["Parameter"]
    assert parameter["Value"] == "red"

    stack.client.update_stack(StackName="app", TemplateBody=PARAMETER)
    asked = event()
    assert (asked["RequestType"], asked["PhysicalResourceId"]) == ("Delete", "thing-1")
    put(asked["ResponseURL"], Status="SUCCESS", PhysicalResourceId="thing-1")
    stack.wait("stack_update_complete")

    failing = Stack(engine, "failing")
    failing.client.create_stack(StackName="failing", TemplateBody=template)
    put(event()["ResponseURL"], Status="FAILED", PhysicalResourceId="half-made", Reason="no room")
    asked = event()
    assert (asked["RequestType"], asked["PhysicalResourceId"]) == ("Delete", "half-made")
    put(asked["ResponseURL"], Status="SUCCESS", PhysicalResourceId="half-made")
    failing.wait("stack_create_complete", ok=False)
    assert "Message returned: no room" in failing.reasons


def test_what_nobody_answers_fails_after_its_own_timeout_made_or_removed(engine: RunningEngine):
    topic = engine.client("sns").create_topic(Name="nobody")["TopicArn"]
    template = f"""
      Resources:
        Thing: {{Type: Custom::Thing, Properties: {{ServiceToken: "{topic}", ServiceTimeout: 1}}}}
    """
    stack = Stack(engine)
    stack.client.create_stack(StackName="app", TemplateBody=template)
    until(lambda: stack.status == "ROLLBACK_FAILED")
    unanswered = "CloudFormation did not receive a response from your Custom Resource."
    assert f'Thing CREATE_FAILED Resource handler returned message: "{unanswered}' in stack.reasons
    assert f'Thing DELETE_FAILED Resource handler returned message: "{unanswered}' in stack.reasons
