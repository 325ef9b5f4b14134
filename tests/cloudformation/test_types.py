"""Stacks of many types, by the aws cli as people use it."""

from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import NETWORK, Stack, values

DELIVERY = (Path(__file__).parent / "templates" / "delivery.yaml").read_text()


def test_a_delivery_stack_is_made_changed_rolled_back_and_deleted(engine: RunningEngine):
    stack = Stack(engine).create(
        DELIVERY, Capabilities=["CAPABILITY_IAM"], Tags=[{"Key": "team", "Value": "web"}]
    )

    parameters = [{"ParameterKey": "Threshold", "ParameterValue": "5"}]
    stack.update(DELIVERY, Capabilities=["CAPABILITY_IAM"], Parameters=parameters)
    assert engine.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["Threshold"] == 5
    modified = [line for line in stack.reasons.splitlines() if "UPDATE_IN_PROGRESS" in line]
    assert [line.split()[0] for line in modified] == ["app", "Alarm"]

    changed = [*parameters, {"ParameterKey": "QueueName", "ParameterValue": "second"}]
    stack.update(DELIVERY, Capabilities=["CAPABILITY_IAM"], Parameters=changed)
    assert [url.rpartition("/")[2] for url in engine.client("sqs").list_queues()["QueueUrls"]] == ["second"]
    setting = engine.client("ssm").get_parameter(Name=stack.physical("Setting"))["Parameter"]
    assert setting["Value"].endswith(":second")

    broken = [
        {"ParameterKey": "Threshold", "ParameterValue": "9"},
        {"ParameterKey": "QueueName", "ParameterValue": "no queue"},
    ]
    stack.update(DELIVERY, ok=False, Capabilities=["CAPABILITY_IAM"], Parameters=broken)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert engine.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["Threshold"] == 5

    stack.delete()
    assert not engine.client("ecr").describe_repositories()["repositories"]


SAMPLES = """
Transform: AWS::LanguageExtensions
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.30.0.0/16}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.30.1.0/24}}
  Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref Vpc}}
  SubnetAcl:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {SubnetId: !Ref Subnet, NetworkAclId: !Ref Acl}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: !Sub "com.amazonaws.${AWS::Region}.dynamodb"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: ecs.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: describe
          PolicyDocument: {Statement: {Effect: Allow, Action: "ec2:Describe*", Resource: "*"}}
  More:
    Type: AWS::IAM::RolePolicy
    Properties:
      RoleName: !Ref Role
      PolicyName: more
      PolicyDocument: {Statement: {Effect: Allow, Action: "ecs:Describe*", Resource: "*"}}
  Fn::ForEach::Buckets:
    - Id
    - [A, B]
    - Bucket${Id}: {Type: AWS::S3::Bucket}
Outputs:
  Group: {Value: !GetAtt Vpc.DefaultSecurityGroup}
  Acl: {Value: !GetAtt Vpc.DefaultNetworkAcl}
  Fn::ForEach::Arns:
    - Id
    - [A, B]
    - Arn${Id}: {Value: !GetAtt [!Sub "Bucket${Id}", Arn]}
"""


def test_what_samples_of_aws_rely_on(engine: RunningEngine):
    stack = Stack(engine).create(SAMPLES, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])

    outputs, role = stack.outputs, stack.physical("Role")
    assert outputs["Group"].startswith("sg-") and outputs["Acl"].startswith("acl-")
    assert outputs["ArnB"] == f"arn:aws:s3:::{stack.physical('BucketB')}"
    policies = engine.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    assert sorted(policies) == ["describe", "more"]
    chosen = {"Name": "association.subnet-id", "Values": [stack.physical("Subnet")]}
    (acl,) = engine.client("ec2").describe_network_acls(Filters=[chosen])["NetworkAcls"]
    assert acl["NetworkAclId"] == stack.physical("Acl")

    stack.delete()


@pytest.mark.slow
def test_the_cli_deploys_a_stack_once_and_finds_no_changes_then(engine: RunningEngine, tmp_path: Path):
    template = tmp_path / "stack.yaml"
    template.write_text(NETWORK)
    deploy = ["cloudformation", "deploy", "--stack-name", "app", "--template-file", str(template)]

    first = engine.aws(*deploy, "--tags", "team=web", check=False)
    assert "Successfully created/updated stack" in first.stdout, first.stderr + Stack(engine).reasons
    again = engine.aws(*deploy, "--tags", "team=web", "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in again.stdout


HOOKED = """
Parameters: {Webhook: {Type: String}, Branch: {Type: String, Default: main}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: {Effect: Allow, Principal: {Service: codebuild.amazonaws.com}, Action: sts:AssumeRole}
  Project:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: hooked
      ServiceRole: !GetAtt Role.Arn
      Source: {Type: GITHUB, Location: "https://github.com/example/app.git"}
      Artifacts: {Type: NO_ARTIFACTS}
      Environment: {Type: LINUX_CONTAINER, ComputeType: BUILD_GENERAL1_SMALL, Image: "aws/codebuild/standard:7.0"}
      Triggers:
        Webhook: !Ref Webhook
        FilterGroups: [[{Type: EVENT, Pattern: PUSH}, {Type: HEAD_REF, Pattern: !Ref Branch}]]
"""


def test_a_build_project_has_a_webhook_while_its_triggers_want_one(engine: RunningEngine):
    def webhook():
        (project,) = engine.client("codebuild").batch_get_projects(names=["hooked"])["projects"]
        return project.get("webhook")

    may = {"Capabilities": ["CAPABILITY_IAM"]}
    stack = Stack(engine).create(HOOKED, Parameters=values(Webhook="false"), **may)
    assert webhook() is None
    stack.update(HOOKED, Parameters=values(Webhook="true"), **may)
    url = webhook()["payloadUrl"]
    stack.update(HOOKED, Parameters=values(Webhook="true", Branch="next"), **may)
    assert webhook()["payloadUrl"] == url
    assert webhook()["filterGroups"][0][1] == {"type": "HEAD_REF", "pattern": "next"}
    stack.update(HOOKED, Parameters=values(Webhook="false"), **may)
    assert webhook() is None
