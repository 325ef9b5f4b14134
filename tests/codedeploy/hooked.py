"""A stack whose updates CodeDeploy carries out: the hook AWS::CodeDeploy::BlueGreen."""

from __future__ import annotations

import copy
import json
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.containers.conftest import IMAGE
from tests.ecs.conftest import web
from tests.ecs.shifting import free_port
from tests.proxy.strict_client import StrictLoad
from tests.waiting import until

LISTENER = "AWS::ElasticLoadBalancingV2::Listener"


def template(version: str = "v1", ports: tuple[int, int] = (80, 8080), **hook: Any) -> dict[str, Any]:
    """The template of AWS's example, but smaller; `hook` are properties of the hook."""

    def group() -> dict[str, Any]:
        properties = {
            **{"Port": 8080, "Protocol": "HTTP", "TargetType": "ip", "VpcId": "vpc-1"},
            **{"HealthCheckPath": "/", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2},
            **{"HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2},
        }
        return {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties}

    def listener(port: int) -> dict[str, Any]:
        config = {"TargetGroups": [{"TargetGroupArn": {"Ref": "Blue"}, "Weight": 1}]}
        actions = [{"Type": "forward", "ForwardConfig": config}]
        properties = {
            "DefaultActions": actions,
            "Port": port,
            "Protocol": "HTTP",
            "LoadBalancerArn": {"Ref": "Balancer"},
        }
        return {"Type": LISTENER, "Properties": properties}

    route = {"Type": LISTENER, "LogicalID": "Production"}
    attributes = {
        "TaskDefinitions": ["BlueDefinition", "GreenDefinition"],
        "TaskSets": ["BlueTasks", "GreenTasks"],
        "TrafficRouting": {"ProdTrafficRoute": route, "TargetGroups": ["Blue", "Green"]},
    }
    target = {"Type": "AWS::ECS::Service", "LogicalID": "Service"}
    properties = {
        "TrafficRoutingConfig": {"Type": "AllAtOnce"},
        "AdditionalOptions": {"TerminationWaitTimeInMinutes": 0},
        **hook,
        "Applications": [{"Target": target, "ECSAttributes": attributes}],
    }
    where = {"Cluster": {"Ref": "Cluster"}, "Service": {"Ref": "Service"}}
    return {
        "Transform": ["AWS::CodeDeployBlueGreen"],
        "Hooks": {"Shift": {"Type": "AWS::CodeDeploy::BlueGreen", "Properties": properties}},
        "Resources": {
            "Blue": group(),
            "Green": group(),
            "Balancer": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {"Subnets": ["subnet-1", "subnet-2"]},
            },
            "Production": listener(ports[0]),
            "Test": listener(ports[1]),
            "Cluster": {"Type": "AWS::ECS::Cluster"},
            "Service": {
                "Type": "AWS::ECS::Service",
                "Properties": {
                    "Cluster": {"Ref": "Cluster"},
                    "DesiredCount": 1,
                    "DeploymentController": {"Type": "EXTERNAL"},
                    "HealthCheckGracePeriodSeconds": 1200,
                },
            },
            "BlueDefinition": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Family": "web",
                    "NetworkMode": "awsvpc",
                    "RequiresCompatibilities": ["FARGATE"],
                    "Cpu": "256",
                    "Memory": "512",
                    "ContainerDefinitions": [
                        {
                            "Name": "app",
                            "Image": IMAGE,
                            "Command": ["sh", "-c", web(version)],
                            "StopTimeout": 2,
                            "PortMappings": [{"ContainerPort": 8080}],
                        }
                    ],
                },
            },
            "BlueTasks": {
                "Type": "AWS::ECS::TaskSet",
                "Properties": {
                    **where,
                    "LaunchType": "FARGATE",
                    "NetworkConfiguration": {"AwsVpcConfiguration": {"Subnets": ["subnet-1"]}},
                    "Scale": {"Unit": "PERCENT", "Value": 100},
                    "TaskDefinition": {"Ref": "BlueDefinition"},
                    "LoadBalancers": [
                        {"ContainerName": "app", "ContainerPort": 8080, "TargetGroupArn": {"Ref": "Blue"}}
                    ],
                },
            },
            "Primary": {
                "Type": "AWS::ECS::PrimaryTaskSet",
                "Properties": {**where, "TaskSetId": {"Fn::GetAtt": ["BlueTasks", "Id"]}},
            },
        },
    }


class Hooked:
    """The stack `shop` of `template`, with `v1`."""

    def __init__(self, engine: RunningEngine, **hook: Any) -> None:
        self.engine = engine
        self.api: Any = engine.client("cloudformation")
        self.codedeploy: Any = engine.client("codedeploy")
        self.ports = (free_port(), free_port())
        self.hook = hook
        self.made = self.template("v1")
        self.create()

    def template(self, version: str, **hook: Any) -> dict[str, Any]:
        return template(version, self.ports, **{**self.hook, **hook})

    def with_test_listener(self, made: dict[str, Any]) -> dict[str, Any]:
        """A copy whose hook has test traffic, too."""
        made = copy.deepcopy(made)
        [application] = made["Hooks"]["Shift"]["Properties"]["Applications"]
        route = {"Type": LISTENER, "LogicalID": "Test"}
        application["ECSAttributes"]["TrafficRouting"]["TestTrafficRoute"] = route
        return made

    def create(self) -> None:
        self.api.create_stack(StackName="shop", **self.body(self.made))
        assert self.ended() == "CREATE_COMPLETE", self.reasons()

    def update(self, made: dict[str, Any] | str, **options: Any) -> None:
        """Begin an update, to a template or to a version."""
        made = self.template(made) if isinstance(made, str) else made
        self.api.update_stack(StackName="shop", **{**self.body(made), **options})

    def body(self, made: dict[str, Any]) -> dict[str, Any]:
        return {"TemplateBody": json.dumps(made), "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}

    def status(self) -> str:
        return str(self.api.describe_stacks(StackName="shop")["Stacks"][0]["StackStatus"])

    def ended(self, seconds: float = 90) -> str:
        """The status once nothing is under way."""
        return until(self.status, lambda status: not status.endswith("_IN_PROGRESS"), seconds)

    def events(self) -> list[dict[str, Any]]:
        """The stack's events, the first one first."""
        found: list[dict[str, Any]] = self.api.describe_stack_events(StackName="shop")["StackEvents"]
        return found[::-1]

    def reasons(self) -> str:
        return "; ".join(event.get("ResourceStatusReason", "") for event in self.events())

    def resources(self) -> dict[str, str]:
        found = self.api.describe_stack_resources(StackName="shop")["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def deployment(self) -> dict[str, Any]:
        """CodeDeploy's newest deployment of the stack."""
        stack = self.api.describe_stacks(StackName="shop")["Stacks"][0]["StackId"]
        ids = until(lambda: self.codedeploy.list_deployments(externalId=stack)["deployments"])
        info: dict[str, Any] = self.codedeploy.get_deployment(deploymentId=ids[0])["deploymentInfo"]
        return info

    def target(self) -> dict[str, Any]:
        info = self.deployment()
        answer = self.codedeploy.get_deployment_target(
            deploymentId=info["deploymentId"], targetId=info["externalId"]
        )
        target: dict[str, Any] = answer["deploymentTarget"]["cloudFormationTarget"]
        return target

    def lifecycle(self) -> dict[str, str]:
        """The statuses of the lifecycle events."""
        return {each["lifecycleEventName"]: each["status"] for each in self.target()["lifecycleEvents"]}

    def weights(self, listener: str = "Production") -> dict[str, int]:
        """What a listener gives each target group, by the groups' logical ids."""
        resources = self.resources()
        names = {arn: id for id, arn in resources.items()}
        answer = self.engine.client("elbv2").describe_listeners(ListenerArns=[resources[listener]])
        groups = answer["Listeners"][0]["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
        return {names[each["TargetGroupArn"]]: each["Weight"] for each in groups}

    def task_sets(self) -> list[dict[str, Any]]:
        resources = self.resources()
        answer = self.engine.client("ecs").describe_services(
            cluster=resources["Cluster"], services=[resources["Service"]]
        )
        found: list[dict[str, Any]] = answer["services"][0]["taskSets"]
        return found

    def load(self, port: int = 0, **options: Any) -> StrictLoad:
        """Users of the service, who forgive nothing."""
        elbv2 = self.engine.client("elbv2")
        [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
        arn, name = balancer["LoadBalancerArn"], balancer["DNSName"]
        attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        bound = {each["Key"]: each["Value"] for each in attributes}
        port = port or self.ports[0]
        port = int(bound.get(f"homeport.port.{port}", port))
        return StrictLoad(port, host=name, **{"pause": 0.05, **options})
