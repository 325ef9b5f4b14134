"""AWS's example of blue/green deployments by CloudFormation: its own template, whose parameters alone are filled in.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green-template-example.html"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.hooked import Hooked
from tests.waiting import until

TEMPLATE = (Path(__file__).parent / "templates" / "blue_green_example.yaml").read_text()
CHANGED = TEMPLATE.replace("Cpu: '256'", "Cpu: '512'").replace("Memory: '512'", "Memory: '1024'")


class Example(Hooked):
    """The stack of the example."""

    def __init__(self, engine: RunningEngine) -> None:
        self.engine = engine
        self.connect()
        self.ports = (80, 8080)
        self.made = TEMPLATE
        self.create()

    def connect(self) -> None:
        self.api: Any = self.engine.client("cloudformation")
        self.codedeploy: Any = self.engine.client("codedeploy")

    def body(self, made: Any) -> dict[str, Any]:
        ec2 = self.engine.client("ec2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        values = {"Vpc": vpc, **{f"Subnet{at + 1}": subnets[at]["SubnetId"] for at in (0, 1)}}
        return {
            "TemplateBody": made,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        }

    def change_set(self, made: str) -> dict[str, tuple[str, str | None]]:
        """Make one: what it would do to which resource, and whether that replaces it."""
        name = {"StackName": "shop", "ChangeSetName": "green"}
        self.api.create_change_set(**name, **self.body(made))
        changes = [each["ResourceChange"] for each in self.api.describe_change_set(**name)["Changes"]]
        return {each["LogicalResourceId"]: (each["Action"], each.get("Replacement")) for each in changes}

    def execute(self) -> None:
        self.api.execute_change_set(StackName="shop", ChangeSetName="green")

    def shares(self) -> dict[str, int]:
        return self.weights("ALBListenerProdTraffic")


async def test_the_example_deploys_unmodified_and_outlives_the_death_of_the_engine(
    own_engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
):
    own_engine.start()
    shop = await asyncio.to_thread(Example, own_engine)
    async with shop.load(connections=4, pause=0.02) as load:
        await load.until(20)
        [blue] = load.answers
        assert shop.change_set(CHANGED) == {
            "GreenTaskDefinition": ("Add", None),
            "GreenTaskSet": ("Add", None),
            "ALBListenerProdTraffic": ("Modify", "False"),
            "ALBListenerProdRule": ("Modify", "False"),
            "PrimaryTaskSet": ("Modify", "False"),
            "BlueTaskDefinition": ("Remove", None),
            "BlueTaskSet": ("Remove", None),
        }
        shop.execute()
        await asyncio.to_thread(
            until, shop.shares, lambda shares: shares == {"ALBTargetGroupGreen": 15, "ALBTargetGroupBlue": 85}
        )
        load.answers.clear()
        await load.until(80)
        assert len(load.answers) == 2 and load.answers[blue] > load.answers.total() / 2
        # the five minutes of the canary, and the five before blue goes, sixty times as fast
        own_engine.kill()
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "key"}
        monkeypatch.setattr(own_engine, "client", partial(own_engine.client, **keys))
        own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="60")
        shop.connect()
        assert await asyncio.to_thread(shop.ended) == "UPDATE_COMPLETE", shop.reasons()
        before = load.answers.copy()
        await load.until(load.answers.total() + 20)
    assert load.errors == []
    assert load.answers[blue] == before[blue]
    assert shop.shares() == {"ALBTargetGroupGreen": 100, "ALBTargetGroupBlue": 0}
    assert shop.lifecycle()["AllowTraffic"] == "Succeeded"
    events = {each["lifecycleEventName"]: each for each in shop.target()["lifecycleEvents"]}
    assert (events["AllowTraffic"]["endTime"] - events["AllowTraffic"]["startTime"]).total_seconds() >= 300
