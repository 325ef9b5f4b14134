"""Applications, deployment groups, configurations, revisions and tags, by boto3, the aws cli and CloudFormation."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from homeport.pytest_plugin import RunningEngine
from tests.codedeploy.conftest import Shop, appspec
from tests.ecs.conftest import web
from tests.waiting import until


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_applications_and_configurations(engine: RunningEngine):
    api = engine.client("codedeploy")
    api.create_application(
        applicationName="shop", computePlatform="ECS", tags=[{"Key": "team", "Value": "a"}]
    )
    assert api.get_application(applicationName="shop")["application"]["computePlatform"] == "ECS"
    assert refused(api.create_application, applicationName="shop", computePlatform="ECS") == (
        "ApplicationAlreadyExistsException",
        "Application already exists: shop",
    )
    assert refused(api.create_application, applicationName="other", computePlatform="Lambda")[0] == (
        "InvalidComputePlatformException"
    )
    assert refused(api.get_application, applicationName="none") == (
        "ApplicationDoesNotExistException",
        "No application found for name: none",
    )
    api.update_application(applicationName="shop", newApplicationName="store")
    assert api.list_applications()["applications"] == ["store"]
    arn = f"arn:aws:codedeploy:{engine.region}:{engine.account}:application:store"
    api.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    api.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]

    names = api.list_deployment_configs()["deploymentConfigsList"]
    assert "CodeDeployDefault.ECSLinear10PercentEvery3Minutes" in names
    canary = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 5, "canaryInterval": 2}}
    mine = {"deploymentConfigName": "mine", "computePlatform": "ECS"}
    api.create_deployment_config(**mine, trafficRoutingConfig=canary)
    shown = api.get_deployment_config(deploymentConfigName="mine")["deploymentConfigInfo"]
    assert shown["trafficRoutingConfig"] == canary
    wrong = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 0, "canaryInterval": 2}}
    assert refused(api.create_deployment_config, **mine, trafficRoutingConfig=wrong)[0] == (
        "InvalidTrafficRoutingConfigurationException"
    )
    api.delete_deployment_config(deploymentConfigName="mine")

    content = appspec("app:1")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    api.register_application_revision(applicationName="store", revision=revision, description="first")
    listed = api.list_application_revisions(applicationName="store")["revisions"]
    assert listed[0]["appSpecContent"]["content"] == content
    info = api.get_application_revision(applicationName="store", revision=revision)["revisionInfo"]
    assert info["description"] == "first"
    told = engine.aws("deploy", "get-application", "--application-name", "store").stdout
    assert json.loads(told)["application"]["applicationName"] == "store"
    api.delete_application(applicationName="store")
    assert api.list_applications()["applications"] == []


def test_what_a_deployment_group_must_be(shop: Shop):
    api, settings = shop.api, {**shop.settings(), "deploymentGroupName": "other"}
    create = api.create_deployment_group
    without = lambda member: {name: value for name, value in settings.items() if name != member}  # noqa: E731
    assert refused(create, **without("deploymentStyle")) == (
        "InvalidDeploymentStyleException",
        "For ECS deployment, the deployment type must be BLUE_GREEN, and deployment option must be "
        "WITH_TRAFFIC_CONTROL.",
    )
    assert refused(create, **without("loadBalancerInfo"))[1] == (
        "For ECS deployment group, loadBalancerInfo must be specified"
    )
    assert refused(create, **without("blueGreenDeploymentConfiguration"))[1] == (
        "For ECS deployment group, blueGreenDeploymentConfiguration must be specified"
    )
    assert refused(create, **settings, autoScalingGroups=["group"])[1] == (
        "For ECS deployment group, autoScalingGroups can not be specified"
    )
    assert refused(create, **settings)[0] == "ECSServiceMappingLimitExceededException"
    shop.ecs.serve(shop.ecs.define("sleep 600"), 0, "plain")
    plain = {**settings, "ecsServices": [{"serviceName": "plain", "clusterName": "default"}]}
    assert refused(create, **plain) == (
        "InvalidECSServiceException",
        "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
    )
    nobody = {**plain, "serviceRoleArn": f"arn:aws:iam::{shop.engine.account}:role/nobody"}
    assert refused(create, **nobody) == (
        "InvalidRoleException",
        f"AWS CodeDeploy does not have the permissions required to assume the role {nobody['serviceRoleArn']}.",
    )
    assert (
        refused(shop.deploy, definition="app:1", config="Nothing")[0]
        == "DeploymentConfigDoesNotExistException"
    )
    wrong = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "version: 0.0"}}
    assert refused(shop.deploy, definition="", revision=wrong)[0] == "InvalidRevisionException"
    git = {"revisionType": "GitHub", "gitHubLocation": {"repository": "a/b", "commitId": "c"}}
    assert refused(shop.deploy, definition="", revision=git)[0] == "InvalidRevisionException"
    shop.update(newDeploymentGroupName="front")
    assert api.list_deployment_groups(applicationName="shop")["deploymentGroups"] == ["front"]


TEMPLATE = {
    "Resources": {
        "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "ECS"}},
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "ServiceName": "stacked",
                "DesiredCount": 1,
                "DeploymentController": {"Type": "EXTERNAL"},
            },
        },
        "TaskSet": {
            "Type": "AWS::ECS::TaskSet",
            "Properties": {
                "Cluster": "default",
                "Service": {"Ref": "Service"},
                "TaskDefinition": {"Ref": "Definition"},
                "LaunchType": "FARGATE",
                "NetworkConfiguration": {
                    "AwsVpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED"}
                },
                "Scale": {"Unit": "PERCENT", "Value": 100},
            },
        },
        "Primary": {
            "Type": "AWS::ECS::PrimaryTaskSet",
            "Properties": {
                "Cluster": "default",
                "Service": {"Ref": "Service"},
                "TaskSetId": {"Fn::GetAtt": ["TaskSet", "Id"]},
            },
        },
    },
    "Parameters": {"Definition": {"Type": "String"}},
    "Outputs": {"TaskSet": {"Value": {"Fn::GetAtt": ["TaskSet", "Id"]}}},
}


def test_cloudformation_makes_task_sets_and_deployment_groups(shop: Shop):
    template: Any = json.loads(json.dumps(TEMPLATE))
    parameters = [
        {"ParameterKey": "Definition", "ParameterValue": shop.ecs.define("sleep 600")},
    ]
    shop.api.delete_deployment_group(applicationName="shop", deploymentGroupName="web")
    template["Resources"]["Group"] = {
        "Type": "AWS::CodeDeploy::DeploymentGroup",
        "Properties": {
            "ApplicationName": {"Ref": "Application"},
            "ServiceRoleArn": shop.role,
            "DeploymentConfigName": "CodeDeployDefault.ECSAllAtOnce",
            "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
            "BlueGreenDeploymentConfiguration": {
                "TerminateBlueInstancesOnDeploymentSuccess": {
                    "Action": "TERMINATE",
                    "TerminationWaitTimeInMinutes": 0,
                },
                "DeploymentReadyOption": {"ActionOnTimeout": "CONTINUE_DEPLOYMENT", "WaitTimeInMinutes": 0},
            },
            "ECSServices": [{"ClusterName": "default", "ServiceName": "web"}],
            "LoadBalancerInfo": {
                "TargetGroupPairInfoList": [
                    {
                        "TargetGroups": [{"Name": "web"}, {"Name": "green"}],
                        "ProdTrafficRoute": {"ListenerArns": [shop.production]},
                    }
                ]
            },
        },
    }
    cloudformation = shop.engine.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template), Parameters=parameters)
    status = until(lambda: stack(cloudformation), lambda found: "IN_PROGRESS" not in found["StackStatus"])
    assert status["StackStatus"] == "CREATE_COMPLETE", events(cloudformation)
    service = shop.ecs.service("stacked")
    assert service["taskSets"][0]["id"] == status["Outputs"][0]["OutputValue"]
    assert (service["taskSets"][0]["status"], service["runningCount"]) == ("PRIMARY", 1)
    resources = cloudformation.describe_stack_resources(StackName="s")["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    revision = {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": appspec(shop.define(web("v2")))},
    }
    id = shop.api.create_deployment(
        applicationName=names["Application"], deploymentGroupName=names["Group"], revision=revision
    )["deploymentId"]
    shop.succeeded(id)
    cloudformation.delete_stack(StackName="s")
    until(lambda: cloudformation.describe_stacks()["Stacks"], lambda stacks: not stacks)


def stack(cloudformation: Any) -> Any:
    return cloudformation.describe_stacks(StackName="s")["Stacks"][0]


def events(cloudformation: Any) -> list[Any]:
    found = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    return [(each["LogicalResourceId"], each.get("ResourceStatusReason")) for each in found]
