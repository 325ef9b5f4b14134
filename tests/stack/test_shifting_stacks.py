"""The templates of the strategies that shift traffic, deployed at home: they serve, and go from version to version."""

import asyncio

import pytest

from homeport.manifest.reader import parse
from homeport.stack.template import render, synthesize
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import image, web  # noqa: F401
from tests.proxy.strict_client import StrictLoad

MANIFEST = """
app: shop
image: {{scan: false}}
service: {{port: 8080, health: /, count: 1, command: ["sh", "-c", "{script}"]}}
deploy: {{strategy: {strategy}, wait: 0, bake: 0, percent: 20}}
"""


@pytest.mark.parametrize("strategy", ["canary", "blue-green"])
async def test_a_stack_serves_and_shifts(engine, strategy: str):
    await asyncio.to_thread(_deploy, engine, strategy, "v1", "create")
    elbv2 = engine.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]
    answer = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])
    attributes = {each["Key"]: each["Value"] for each in answer["Attributes"]}
    port = int(attributes.get("homeport.port.80", 80))
    async with StrictLoad(port, host=balancer["DNSName"], connections=3, pause=0.05) as load:
        await load.until(10)
        assert set(load.answers) == {"v1"}
        await asyncio.to_thread(_deploy, engine, strategy, "v2", "update")
        load.answers.clear()
        await load.until(10)
    assert (set(load.answers), load.errors) == ({"v2"}, [])
    deployments = engine.client("ecs").list_service_deployments(
        cluster=_cluster(engine), service="production"
    )
    assert [each["status"] for each in deployments["serviceDeployments"]] == ["SUCCESSFUL"] * 2


def _deploy(engine, strategy: str, version: str, verb: str) -> None:
    script = web(version).replace("\\", "\\\\").replace('"', '\\"')
    template = render(synthesize(parse(MANIFEST.format(strategy=strategy, script=script))))
    cloudformation = engine.client("cloudformation")
    parameters = {"Image": IMAGE, "DesiredCount": "1"}
    getattr(cloudformation, f"{verb}_stack")(
        StackName="shop",
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    waiter = cloudformation.get_waiter(f"stack_{verb}_complete")
    waiter.wait(StackName="shop", WaiterConfig={"Delay": 1})


def _cluster(engine) -> str:
    found = engine.client("cloudformation").describe_stacks(StackName="shop")["Stacks"][0]["Outputs"]
    return next(each["OutputValue"] for each in found if each["OutputKey"] == "ClusterName")
