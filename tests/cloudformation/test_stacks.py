"""Stacks on a running engine: made, updated with replacement, rolled back, deleted."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from homeport.pytest_plugin import RunningEngine
from tests.waiting import until

QUICK = {"Delay": 0.1, "MaxAttempts": 300}


class Stack:
    """One stack of a test, by its name."""

    def __init__(self, engine: RunningEngine, name: str = "app") -> None:
        self.client = engine.client("cloudformation")
        self.name = name

    def create(self, template: str, *, ok: bool = True, **options: Any) -> "Stack":
        self.client.create_stack(StackName=self.name, TemplateBody=template, **options)
        return self.wait("stack_create_complete", ok)

    def update(self, template: str, *, ok: bool = True, **options: Any) -> "Stack":
        self.client.update_stack(StackName=self.name, TemplateBody=template, **options)
        return self.wait("stack_update_complete", ok)

    def wait(self, waiter: str, ok: bool = True) -> "Stack":
        try:
            self.client.get_waiter(waiter).wait(StackName=self.name, WaiterConfig=QUICK)
        except WaiterError:
            assert not ok, self.reasons
        else:
            assert ok, self.status
        return self

    def delete(self) -> None:
        stack_id = self.describe()["StackId"]
        self.client.delete_stack(StackName=self.name)
        try:
            self.client.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=QUICK)
        except WaiterError:
            pytest.fail(self.reasons)

    def describe(self) -> dict:
        return self.client.describe_stacks(StackName=self.name)["Stacks"][0]

    @property
    def status(self) -> str:
        return self.describe()["StackStatus"]

    @property
    def outputs(self) -> dict:
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe().get("Outputs", ())}

    @property
    def reasons(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(
            f"{e['LogicalResourceId']} {e['ResourceStatus']} {e.get('ResourceStatusReason', '')}"
            for e in reversed(events)
        )

    def physical(self, id: str) -> str:
        found = self.client.describe_stack_resources(StackName=self.name, LogicalResourceId=id)[
            "StackResources"
        ]
        return found[0]["PhysicalResourceId"]


NETWORK = """
Parameters:
  Cidr: {Type: String, Default: 10.20.0.0/16}
Conditions:
  Never: !Equals [a, b]
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: !Ref Cidr, EnableDnsHostnames: true, Tags: [{Key: Name, Value: main}]}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Public:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [0, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [0, !GetAZs ""]
      MapPublicIpOnLaunch: true
  Private:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [1, !GetAZs ""]
  Address:
    Type: AWS::EC2::EIP
    DependsOn: Attachment
    Properties: {Domain: vpc}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Public}
  PublicRoutes: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PrivateRoutes: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Out:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref PublicRoutes, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  ByNat:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref PrivateRoutes, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  PublicAssociation:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Public, RouteTableId: !Ref PublicRoutes}
  PrivateAssociation:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Private, RouteTableId: !Ref PrivateRoutes}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
  FromGroup:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Group, IpProtocol: tcp, FromPort: 80, ToPort: 80, SourceSecurityGroupId: !Ref Group}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Sub com.amazonaws.${AWS::Region}.s3
      VpcEndpointType: Gateway
      RouteTableIds: [!Ref PrivateRoutes]
  NeverMade: {Type: AWS::EC2::VPC, Condition: Never, Properties: {CidrBlock: 10.0.0.0/16}}
Outputs:
  VpcId: {Value: !Ref Vpc, Export: {Name: !Sub "${AWS::StackName}-vpc"}}
  Address: {Value: !Ref Address}
"""


def test_a_network_with_nat_and_endpoint_is_made_and_deleted(engine: RunningEngine):
    ec2 = engine.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])

    stack = Stack(engine).create(NETWORK)

    vpc = ec2.describe_vpcs(VpcIds=[stack.outputs["VpcId"]])["Vpcs"][0]
    assert {tag["Key"]: tag["Value"] for tag in vpc["Tags"]}["Name"] == "main"
    nat = ec2.describe_nat_gateways()["NatGateways"][0]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == stack.outputs["Address"]
    exports = engine.client("cloudformation").list_exports()["Exports"]
    assert [(each["Name"], each["Value"]) for each in exports] == [("app-vpc", stack.outputs["VpcId"])]

    stack.delete()
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    assert not ec2.describe_addresses()["Addresses"]


BASICS = """
Parameters:
  Retention: {Type: Number, Default: 7}
  GroupName: {Type: String, Default: /app/one}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: !Sub "${Bucket.Arn}/*"}]
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true, BlockPublicPolicy: true}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, ExpirationInDays: 30}]}
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Ref GroupName, RetentionInDays: !Ref Retention}
  Setting:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !GetAtt Group.Arn}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"user": "app"}', GenerateStringKey: password, PasswordLength: 20}
  Copy:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Sub "{{resolve:secretsmanager:${Secret}:SecretString:user}}"}
Outputs:
  Role: {Value: !GetAtt Role.Arn}
  Copy: {Value: !Ref Copy}
"""
IAM = {"Capabilities": ["CAPABILITY_IAM"]}


def values(**parameters: Any) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()]


def test_an_update_changes_in_place_or_replaces(engine: RunningEngine):
    logs = engine.client("logs")
    stack = Stack(engine).create(BASICS, **IAM)
    role = stack.outputs["Role"]
    assert engine.client("ssm").get_parameter(Name=stack.outputs["Copy"])["Parameter"]["Value"] == "app"
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7

    stack.update(BASICS, Parameters=values(Retention=14), **IAM)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 14

    stack.update(BASICS, Parameters=values(Retention=14, GroupName="/app/two"), **IAM)
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/app/two"]
    assert stack.physical("Group") == "/app/two"
    assert (
        "Group UPDATE_IN_PROGRESS Requested update requires the creation of a new physical" in stack.reasons
    )
    setting = engine.client("ssm").get_parameter(Name=stack.physical("Setting"))
    assert setting["Parameter"]["Value"].endswith(":log-group:/app/two:*")
    assert stack.outputs["Role"] == role

    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.update(BASICS, Parameters=values(Retention=14, GroupName="/app/two"), **IAM)
    stack.delete()
    assert not logs.describe_log_groups()["logGroups"]
    assert not engine.client("s3").list_buckets()["Buckets"]


def test_a_failing_update_goes_back_to_what_was(engine: RunningEngine):
    stack = Stack(engine).create(BASICS, **IAM)
    bucket = stack.physical("Bucket")
    engine.client("logs").create_log_group(logGroupName="/taken")
    broken = BASICS.replace("Outputs:", "  New: {Type: AWS::S3::Bucket}\nOutputs:").replace(
        "Setting:\n", "Setting:\n    DependsOn: New\n"
    )

    stack.update(broken, ok=False, Parameters=values(Retention=30, GroupName="/taken"), **IAM)

    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [Group]. " in stack.reasons
    )
    groups = engine.client("logs").describe_log_groups()["logGroups"]
    assert {g["logGroupName"]: g.get("retentionInDays") for g in groups} == {"/taken": None, "/app/one": 7}
    assert [each["Name"] for each in engine.client("s3").list_buckets()["Buckets"]] == [bucket]
    stack.update(BASICS, Parameters=values(Retention=3), **IAM)


def test_a_failing_creation_leaves_nothing(engine: RunningEngine):
    engine.client("logs").create_log_group(logGroupName="/app/one")

    stack = Stack(engine).create(BASICS, ok=False, **IAM)

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "Group CREATE_FAILED Resource handler returned message:" in stack.reasons
    assert not engine.client("s3").list_buckets()["Buckets"]
    assert not engine.client("iam").list_roles(PathPrefix="/")["Roles"]
    assert engine.client("logs").describe_log_groups()["logGroups"]


def test_what_cannot_be_made_is_refused_before_anything_is_made(engine: RunningEngine):
    template = json.dumps(
        {"Resources": {"A": {"Type": "AWS::No::Such"}, "B": {"Type": "AWS::S3::Bucket"}}}, indent=1
    )

    with pytest.raises(ClientError) as error:
        Stack(engine).create(template)
    assert "Unrecognized resource types: [AWS::No::Such (A, line 3)]" in str(error.value)
    with pytest.raises(ClientError, match="Requires capabilities : \\[CAPABILITY_IAM\\]"):
        Stack(engine).create(BASICS)
    assert not engine.client("cloudformation").list_stacks()["StackSummaries"]


def test_an_export_in_use_is_kept(engine: RunningEngine):
    producer = Stack(engine, "producer").create(
        "Resources: {T: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: v}}}\n"
        "Outputs: {O: {Value: !Ref T, Export: {Name: shared}}}"
    )
    consumer = Stack(engine, "consumer").create(
        "Resources: {T: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !ImportValue shared}}}"
    )

    with pytest.raises(ClientError, match="Export shared cannot be deleted as it is in use by consumer"):
        producer.delete()
    assert producer.client.list_imports(ExportName="shared")["Imports"] == ["consumer"]
    consumer.delete()
    producer.delete()


def test_policies_keep_resources(engine: RunningEngine):
    stack = Stack(engine).create("Resources: {B: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}}")
    bucket = stack.physical("B")
    stack.client.update_termination_protection(StackName="app", EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        stack.delete()
    stack.client.update_termination_protection(StackName="app", EnableTerminationProtection=False)

    stack.delete()

    assert [each["Name"] for each in engine.client("s3").list_buckets()["Buckets"]] == [bucket]


PARAMETER = "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: one}}}"


def test_a_stack_policy_protects_a_resource(engine: RunningEngine):
    statement = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "LogicalResourceId/P"}
    everything = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    policy = json.dumps({"Statement": [statement, everything]})
    stack = Stack(engine).create(PARAMETER, StackPolicyBody=policy)

    stack.update(PARAMETER.replace("one", "two"), ok=False)
    assert "UPDATE_FAILED Action denied by stack policy" in stack.reasons
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"

    during = json.dumps({"Statement": [everything]})
    stack.update(PARAMETER.replace("one", "two"), StackPolicyDuringUpdateBody=during)


def test_a_nested_stack_gives_its_outputs(engine: RunningEngine):
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="templates")
    child = (
        "Parameters: {V: {Type: String}}\n"
        "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref V}}}\n"
        "Outputs: {Name: {Value: !Ref P}}"
    )
    s3.put_object(Bucket="templates", Key="child.yaml", Body=child.encode())
    parent = """
      Resources:
        Child:
          Type: AWS::CloudFormation::Stack
          Properties:
            TemplateURL: https://templates.s3.amazonaws.com/child.yaml
            Parameters: {V: hello}
      Outputs: {Name: {Value: !GetAtt Child.Outputs.Name}}
    """

    stack = Stack(engine).create(parent)
    assert engine.client("ssm").get_parameter(Name=stack.outputs["Name"])["Parameter"]["Value"] == "hello"
    stack.update(parent.replace("hello", "bye"))
    assert engine.client("ssm").get_parameter(Name=stack.outputs["Name"])["Parameter"]["Value"] == "bye"
    stack.delete()
    assert not engine.client("ssm").describe_parameters()["Parameters"]


def test_a_role_that_lacks_one_action_is_told_so_and_mended(engine: RunningEngine):
    iam = engine.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="deployer", PolicyName="deploy", PolicyDocument=policy)

    allow("ssm:PutParameter", "ssm:GetParameter")
    logs = "Resources: {G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /app}}}"
    stack = Stack(engine).create(PARAMETER, RoleARN=role)

    stack.update(logs, ok=False)
    assert "is not authorized to perform: logs:CreateLogGroup" in stack.reasons
    assert "because no identity-based policy allows the logs:CreateLogGroup action" in stack.reasons
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"

    allow("ssm:*", "logs:*")
    stack.update(logs)
    assert not engine.client("ssm").describe_parameters()["Parameters"]


def test_a_stack_that_cannot_roll_back_goes_on_once_it_is_mended(engine: RunningEngine):
    groups = PARAMETER.replace("}}}", "}}, G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /app}}}")
    stack = Stack(engine).create(groups)
    engine.client("logs").create_log_group(logGroupName="/taken")
    engine.client("logs").delete_log_group(logGroupName="/app")
    broken = groups.replace("{LogGroupName: /app}", "{LogGroupName: /app, RetentionInDays: 7}")

    stack.update(broken, ok=False)
    assert stack.status == "UPDATE_ROLLBACK_FAILED", stack.reasons

    engine.client("logs").create_log_group(logGroupName="/app")
    stack.client.continue_update_rollback(StackName="app")
    stack.wait("stack_rollback_complete")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"


def test_a_deletion_stops_a_creation(engine: RunningEngine):
    waits = """
      Resources:
        P:
          Type: AWS::SSM::Parameter
          CreationPolicy: {ResourceSignal: {Timeout: PT1H}}
          Properties: {Type: String, Value: one}
    """
    stack = Stack(engine)
    stack.client.create_stack(StackName="app", TemplateBody=waits)

    stack_id = stack.describe()["StackId"]
    stack.delete()
    assert not engine.client("ssm").describe_parameters()["Parameters"]
    events = stack.client.describe_stack_events(StackName=stack_id)["StackEvents"]
    statuses = [one["ResourceStatus"] for one in events if one["PhysicalResourceId"] == stack_id]
    assert statuses == ["DELETE_COMPLETE", "DELETE_IN_PROGRESS", "CREATE_IN_PROGRESS"]


def test_a_signal_completes_a_resource(engine: RunningEngine):
    waits = PARAMETER.replace("Properties", "CreationPolicy: {ResourceSignal: {Timeout: PT1H}}, Properties")
    stack = Stack(engine)
    stack.client.create_stack(StackName="app", TemplateBody=waits)
    signal = {"StackName": "app", "LogicalResourceId": "P", "UniqueId": "i-1", "Status": "SUCCESS"}
    until(lambda: stack.client.list_stack_resources(StackName="app")["StackResourceSummaries"])

    stack.client.signal_resource(**signal)

    stack.wait("stack_create_complete")


def test_a_stack_that_takes_too_long_is_rolled_back(own_engine: RunningEngine):
    own_engine.start(HOMEPORT_CLOCK_SPEED="60")
    waits = PARAMETER.replace("Properties", "CreationPolicy: {ResourceSignal: {Timeout: PT1H}}, Properties")

    stack = Stack(own_engine).create(waits, ok=False, TimeoutInMinutes=1)

    assert stack.status == "ROLLBACK_COMPLETE"
    assert "P CREATE_FAILED Stack creation time exceeded the specified timeout" in stack.reasons


def test_the_name_of_an_executed_change_set_may_be_given_again(engine: RunningEngine) -> None:
    """The aws cli names change sets by the second, in which a whole deployment may be over."""
    client = engine.client("cloudformation")
    setting = "Name: /level, Type: String, Value: !Ref Level"
    template = (
        "Parameters: {Level: {Type: String}}\n"
        f"Resources: {{Setting: {{Type: AWS::SSM::Parameter, Properties: {{{setting}}}}}}}"
    )
    named = {"StackName": "app", "ChangeSetName": "now"}
    for kind, level in (("CREATE", "one"), ("UPDATE", "two")):
        asked = {
            **named,
            "ChangeSetType": kind,
            "TemplateBody": template,
            "Parameters": [{"ParameterKey": "Level", "ParameterValue": level}],
        }
        client.create_change_set(**asked)
        with pytest.raises(ClientError, match="ChangeSet now already exists in stack app"):
            client.create_change_set(**asked)
        client.execute_change_set(**named)
        client.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName="app", WaiterConfig=QUICK)
    assert engine.client("ssm").get_parameter(Name="/level")["Parameter"]["Value"] == "two"
    [kept] = client.list_change_sets(StackName="app")["Summaries"]
    assert kept["ChangeSetName"] == "now"
