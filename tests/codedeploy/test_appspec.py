"""AppSpec files: AWS's own examples, and what is refused."""

import pytest

from homeport.engine.services.codedeploy import appspec
from homeport.engine.services.codedeploy.configurations import PREDEFINED, shifts
from homeport.engine.wire.errors import AwsError

# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-example.html#appspec-file-example-ecs
YAML = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:us-east-1:111222333444:task-definition/my-task-definition-family-name:1"
        LoadBalancerInfo:
          ContainerName: "SampleApplicationName"
          ContainerPort: 80
# Optional properties
        PlatformVersion: "LATEST"
        NetworkConfiguration:
          AwsvpcConfiguration:
            Subnets: ["subnet-1234abcd","subnet-5678abcd"]
            SecurityGroups: ["sg-12345678"]
            AssignPublicIp: "ENABLED"
        CapacityProviderStrategy:
          - Base: 1
            CapacityProvider: "FARGATE_SPOT"
            Weight: 2
          - Base: 0
            CapacityProvider: "FARGATE"
            Weight: 1
Hooks:
  - BeforeInstall: "LambdaFunctionToValidateBeforeInstall"
  - AfterInstall: "LambdaFunctionToValidateAfterInstall"
  - AfterAllowTestTraffic: "LambdaFunctionToValidateAfterTestTrafficStarts"
  - BeforeAllowTraffic: "LambdaFunctionToValidateBeforeAllowingProductionTraffic"
  - AfterAllowTraffic: "LambdaFunctionToValidateAfterAllowingProductionTraffic"
"""
JSON = """{
 "version": 0.0,
 "Resources": [
  {
   "TargetService": {
    "Type": "AWS::ECS::Service",
    "Properties": {
     "TaskDefinition": "arn:aws:ecs:us-east-1:111222333444:task-definition/my-task-definition-family-name:1",
     "LoadBalancerInfo": {
      "ContainerName": "SampleApplicationName",
      "ContainerPort": 80
     },
     "PlatformVersion": "LATEST",
     "NetworkConfiguration": {
      "AwsvpcConfiguration": {
       "Subnets": [
        "subnet-1234abcd",
        "subnet-5678abcd"
       ],
       "SecurityGroups": [
        "sg-12345678"
       ],
       "AssignPublicIp": "ENABLED"
      }
     },
     "CapacityProviderStrategy": [
      {
       "Base" : 1,
       "CapacityProvider" : "FARGATE_SPOT",
       "Weight" : 2
      },
      {
       "Base" : 0,
       "CapacityProvider" : "FARGATE",
       "Weight" : 1
      }
     ]
    }
   }
  }
 ],
 "Hooks": [
  {
   "BeforeInstall": "LambdaFunctionToValidateBeforeInstall"
  },
  {
   "AfterInstall": "LambdaFunctionToValidateAfterInstall"
  },
  {
   "AfterAllowTestTraffic": "LambdaFunctionToValidateAfterTestTrafficStarts"
  },
  {
   "BeforeAllowTraffic": "LambdaFunctionToValidateBeforeAllowingProductionTraffic"
  },
  {
   "AfterAllowTraffic": "LambdaFunctionToValidateAfterAllowingProductionTraffic"
  }
 ]
}"""


@pytest.mark.parametrize("text", [YAML, JSON], ids=["yaml", "json"])
def test_the_examples_of_the_documentation(text: str):
    found = appspec.parse(text)
    assert found["taskDefinition"].endswith("my-task-definition-family-name:1")
    assert (found["containerName"], found["containerPort"]) == ("SampleApplicationName", 80)
    assert found["networkConfiguration"] == {
        "awsvpcConfiguration": {
            "subnets": ["subnet-1234abcd", "subnet-5678abcd"],
            "securityGroups": ["sg-12345678"],
            "assignPublicIp": "ENABLED",
        }
    }
    assert found["capacityProviderStrategy"][0] == {
        "capacityProvider": "FARGATE_SPOT",
        "base": 1,
        "weight": 2,
    }
    assert list(found["hooks"]) == list(appspec.HOOKS)


# https://docs.aws.amazon.com/codedeploy/latest/userguide/tutorial-ecs-with-hooks-create-appspec-file.html
TUTORIAL_JSON = """{
  "version": 0.0,
  "Resources": [
    {
      "TargetService": {
        "Type": "AWS::ECS::Service",
        "Properties": {
          "TaskDefinition": "arn:aws:ecs:aws-region-id:aws-account-id::task-definition/ecs-demo-task-definition:1",
          "LoadBalancerInfo": {
            "ContainerName": "sample-website",
            "ContainerPort": 80
          }
        }
      }
    }
  ],
  "Hooks": [
    {
      "AfterAllowTestTraffic": "arn:aws:lambda:aws-region-id:aws-account-id:function:AfterAllowTestTraffic"
    }
  ]
}"""
TUTORIAL_YAML = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "arn:aws:ecs:aws-region-id:aws-account-id::task-definition/ecs-demo-task-definition:1"
        LoadBalancerInfo:
          ContainerName: "sample-website"
          ContainerPort: 80
Hooks:
  - AfterAllowTestTraffic: "arn:aws:lambda:aws-region-id:aws-account-id:function:AfterAllowTestTraffic"
"""
# https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-ecs-ecr-codedeploy.html
PIPELINE = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: "sample-website"
          ContainerPort: 80
"""
# https://docs.aws.amazon.com/codedeploy/latest/userguide/application-revisions-appspec-file.html, as it is indented
TABS = """{
\t"version": 0.0,
\t"Resources": [
\t\t{
\t\t\t"TargetService": {
\t\t\t\t"Type": "AWS::ECS::Service",
\t\t\t\t"Properties": {
    \t\t\t"TaskDefinition": "web:1",
    \t\t\t"LoadBalancerInfo": {
    \t\t\t\t"ContainerName": "sample-website",
    \t\t\t\t"ContainerPort": 80
    \t\t\t},
    \t\t\t"PlatformVersion": ""
  \t\t\t}\t\t\t\t
\t\t\t}
\t\t}
\t],
\t"Hooks": [
\t\t{
\t\t\t"BeforeInstall": ""
\t\t},
\t\t{
\t\t\t"AfterAllowTestTraffic": "arn:aws:lambda:aws-region-id:aws-account-id:function:AfterAllowTestTraffic"
\t\t}
\t]
}"""


@pytest.mark.parametrize(
    "text", [TUTORIAL_JSON, TUTORIAL_YAML, PIPELINE, TABS], ids=["json", "yaml", "pipeline", "tabs"]
)
def test_the_files_of_the_tutorials(text: str):
    found = appspec.parse(text)
    assert (found["containerName"], found["containerPort"]) == ("sample-website", 80)
    assert set(found["hooks"]) <= {"AfterAllowTestTraffic"}


def without(first: str, last: str = "") -> str:
    """The YAML example without its lines from the first that has one text to the one that has the other."""
    lines = YAML.splitlines()
    begin = next(at for at, line in enumerate(lines) if first in line)
    end = next((at for at, line in enumerate(lines) if last and last in line), begin)
    return "\n".join(lines[:begin] + lines[end + 1 :])


REFUSED = {
    "a: [": "The input AppSpec file is a not well-formed yaml. The template cannot be parsed.",
    "just words": "The AppSpec file must be valid JSON or YAML.",
    without(
        "Resources:", "Weight: 1"
    ): "The AppSpec file must have a Resources section with exactly one resource",
    YAML.replace("version: 0.0", "version: 1.0"): "invalid version value (1.0): it must be 0.0",
    YAML.replace("AWS::ECS::Service", "AWS::Lambda::Function"): "must be AWS::ECS::Service",
    without("TaskDefinition"): "must name a TaskDefinition",
    without("LoadBalancerInfo", "ContainerPort"): "must have a LoadBalancerInfo",
    YAML.replace("ContainerPort: 80", ""): "must have a ContainerName and a ContainerPort",
    YAML.replace("BeforeInstall:", "BeforeEverything:"): "has a hook for BeforeEverything",
    YAML.replace("PlatformVersion", "PlatformVersions"): "has unknown properties: platformversions",
    "files: []\n" + YAML: "has unknown sections: files",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=REFUSED.values())
def test_what_is_refused(text: str, message: str):
    with pytest.raises(AwsError) as refused:
        appspec.parse(text)
    assert refused.value.code == "InvalidRevisionException"
    assert message in refused.value.message


def test_traffic_goes_over_as_the_predefined_configurations_say():
    steps = {name.rpartition("ECS")[2]: shifts(routing) for name, routing in PREDEFINED.items()}
    assert steps["AllAtOnce"] == [(100, 0)]
    assert steps["Canary10Percent5Minutes"] == [(10, 5), (100, 0)]
    assert steps["Linear10PercentEvery3Minutes"] == [*((share, 3) for share in range(10, 100, 10)), (100, 0)]
