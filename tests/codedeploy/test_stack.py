"""CodeDeploy's resources in a stack, as the CDK writes them: `cdk synth` makes cdk/shop.template.json of cdk/app.js."""

import json
from pathlib import Path
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.conftest import appspec
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import web
from tests.waiting import until

TEMPLATE = Path(__file__).parent / "cdk" / "shop.template.json"


def test_an_app_of_the_cdk_deploys_and_changes_how_it_deploys(engine: RunningEngine):
    stack = Stack(engine)
    template = json.loads(TEMPLATE.read_text())
    stack.carry_out("create", template)
    api, before = engine.client("codedeploy"), stack.group()
    assert before["deploymentConfigName"] == stack.resources()["Config57D1D894"]
    config = api.get_deployment_config(deploymentConfigName=before["deploymentConfigName"])
    assert config["deploymentConfigInfo"]["trafficRoutingConfig"] == {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": 20, "canaryInterval": 1},
    }
    deploy(stack, "v2")

    resources = template["Resources"]
    canary = resources["Config57D1D894"]["Properties"]["TrafficRoutingConfig"]["TimeBasedCanary"]
    canary["CanaryPercentage"] = 30
    group = resources["Deployments7DB91225"]["Properties"]
    group["BlueGreenDeploymentConfiguration"]["TerminateBlueInstancesOnDeploymentSuccess"] = {
        "Action": "TERMINATE",
        "TerminationWaitTimeInMinutes": 5,
    }
    resources["ServiceD69D759B"]["Properties"]["DesiredCount"] = 2
    stack.carry_out("update", template)
    after = stack.group()
    assert after["deploymentGroupId"] == before["deploymentGroupId"]
    assert after["deploymentConfigName"] != before["deploymentConfigName"]  # a configuration is never changed
    configs = api.list_deployment_configs()["deploymentConfigsList"]
    assert after["deploymentConfigName"] in configs and before["deploymentConfigName"] not in configs
    termination = after["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    assert termination["terminationWaitTimeInMinutes"] == 5
    service = stack.service()
    assert (service["desiredCount"], service["taskDefinition"].rpartition("/")[2]) == (2, "v2:1")

    group["DeploymentGroupName"] = "web"  # a new group, while the old one still has the service
    status = stack.carry_out("update", template, "UPDATE_ROLLBACK_COMPLETE")
    assert "associated with more than one deployment groups" in status
    assert stack.group()["deploymentGroupId"] == before["deploymentGroupId"]
    stack.delete()
    assert api.list_applications()["applications"] == []
    assert after["deploymentConfigName"] not in api.list_deployment_configs()["deploymentConfigsList"]


class Stack:
    """The stack `shop`."""

    def __init__(self, engine: RunningEngine) -> None:
        self.engine = engine
        self.api: Any = engine.client("cloudformation")

    def carry_out(self, how: str, template: Any, ends: str = "") -> str:
        """Create or update it; returns the reasons that its events give."""
        getattr(self.api, f"{how}_stack")(
            StackName="shop",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "Image", "ParameterValue": IMAGE}],
            Capabilities=["CAPABILITY_IAM"],
        )
        ended = until(self._status, lambda status: not status.endswith("_IN_PROGRESS"))
        events = self.api.describe_stack_events(StackName="shop")["StackEvents"]
        reasons = "; ".join(event.get("ResourceStatusReason", "") for event in events)
        assert ended == (ends or f"{how.upper()}_COMPLETE"), reasons
        return reasons

    def delete(self) -> None:
        self.api.delete_stack(StackName="shop")
        until(lambda: self.api.describe_stacks()["Stacks"], lambda stacks: not stacks)

    def _status(self) -> str:
        return str(self.api.describe_stacks(StackName="shop")["Stacks"][0]["StackStatus"])

    def resources(self) -> dict[str, str]:
        found = self.api.describe_stack_resources(StackName="shop")["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def outputs(self) -> dict[str, str]:
        found = self.api.describe_stacks(StackName="shop")["Stacks"][0]["Outputs"]
        return {each["OutputKey"]: each["OutputValue"] for each in found}

    def group(self) -> dict[str, Any]:
        outputs = self.outputs()
        found: dict[str, Any] = self.engine.client("codedeploy").get_deployment_group(
            applicationName=outputs["ApplicationName"], deploymentGroupName=outputs["Group"]
        )["deploymentGroupInfo"]
        return found

    def service(self) -> dict[str, Any]:
        outputs = self.outputs()
        found: dict[str, Any] = self.engine.client("ecs").describe_services(
            cluster=outputs["ClusterName"], services=[outputs["ServiceName"]]
        )["services"][0]
        return found


def deploy(stack: Stack, version: str) -> None:
    """Bring the service to a version, all at once."""
    ecs, api, outputs = stack.engine.client("ecs"), stack.engine.client("codedeploy"), stack.outputs()
    known = ecs.describe_task_definition(taskDefinition=stack.service()["taskDefinition"])["taskDefinition"]
    [container] = known["containerDefinitions"]
    members = ("networkMode", "requiresCompatibilities", "cpu", "memory", "taskRoleArn")
    made = ecs.register_task_definition(
        family=version,
        containerDefinitions=[{**container, "command": ["sh", "-c", web(version)]}],
        **{member: known[member] for member in members},
    )
    content = appspec(made["taskDefinition"]["taskDefinitionArn"])
    id = api.create_deployment(
        applicationName=outputs["ApplicationName"],
        deploymentGroupName=outputs["Group"],
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    ended = ("Succeeded", "Failed", "Stopped")
    info = until(
        lambda: api.get_deployment(deploymentId=id)["deploymentInfo"], lambda info: info["status"] in ended
    )
    assert info["status"] == "Succeeded", info
