"""A stack is deployed whatever an interrupted command has left."""

from __future__ import annotations

import json
import threading
import urllib.request

from homeport.cli import stacks
from homeport.pytest_plugin import RunningEngine
from tests.waiting import until

HANDLE = {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
WAIT = {
    "Type": "AWS::CloudFormation::WaitCondition",
    "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"},
}
TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}


def test_a_stack_that_another_command_deploys_is_waited_for(engine: RunningEngine) -> None:
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(
        StackName="shop", TemplateBody=json.dumps({"Resources": {**HANDLE, "Wait": WAIT}})
    )
    handle = until(
        lambda: [
            each["PhysicalResourceId"]
            for each in cloudformation.describe_stack_resources(StackName="shop")["StackResources"]
            if each["LogicalResourceId"] == "Handle" and each["ResourceStatus"] == "CREATE_COMPLETE"
        ]
    )[0]
    timer = threading.Timer(0.5, _signal, [handle])
    timer.start()

    outputs = stacks.deploy(
        cloudformation,
        "shop",
        json.dumps({"Resources": {**HANDLE, **TOPIC}, "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}}}),
        poll=0.1,
    )

    assert outputs["Topic"].startswith("arn:aws:sns:")
    timer.join()


def _signal(handle: str) -> None:
    body = json.dumps({"Status": "SUCCESS", "Reason": "", "UniqueId": "1", "Data": ""}).encode()
    urllib.request.urlopen(urllib.request.Request(handle, body, method="PUT"), timeout=10).close()
