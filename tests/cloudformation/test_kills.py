"""Stacks while the engine is killed: every one ends, nothing half-made is left."""

import time
from random import Random

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import BASICS, IAM, QUICK, Stack, values

POINT = "cloudformation.operation."


def killed_at(engine: RunningEngine, point: str) -> None:
    """Wait for the death at the failpoint, and go on without it."""
    engine.wait_dead()
    engine.start()


def things(engine: RunningEngine) -> dict[str, int]:
    """How many there are of all that the template makes."""
    return {
        "roles": len(engine.client("iam").list_roles()["Roles"]),
        "buckets": len(engine.client("s3").list_buckets()["Buckets"]),
        "groups": len(engine.client("logs").describe_log_groups()["logGroups"]),
        "parameters": len(engine.client("ssm").describe_parameters()["Parameters"]),
        "secrets": len(engine.client("secretsmanager").list_secrets()["SecretList"]),
    }


ONE_OF_EACH = {"roles": 1, "buckets": 1, "groups": 1, "parameters": 2, "secrets": 1}


SLOW = [
    pytest.param(f"create.{step}", marks=pytest.mark.slow)
    for step in ("Role.create.done", "Group.create.done", "Setting.create.done", "Group.done.committed")
]


@pytest.mark.parametrize(
    "point", ["create.Bucket.create.done", "create.Secret.create.done", "create.Role.begin.committed", *SLOW]
)
def test_a_creation_goes_on_where_it_was_killed(own_engine: RunningEngine, point: str):
    own_engine.start(HOMEPORT_FAIL_AT=POINT + point)
    own_engine.client("cloudformation").create_stack(StackName="app", TemplateBody=BASICS, **IAM)

    killed_at(own_engine, point)

    stack = Stack(own_engine).wait("stack_create_complete")
    assert things(own_engine) == ONE_OF_EACH
    stack.delete()
    assert not any(things(own_engine).values())


@pytest.mark.parametrize("point", ["update.Group.create.done", "finish.committed"])
def test_an_update_goes_on_where_it_was_killed(own_engine: RunningEngine, point: str):
    own_engine.start()
    stack = Stack(own_engine).create(BASICS, **IAM)
    own_engine.kill()
    own_engine.start(HOMEPORT_FAIL_AT=POINT + point)
    parameters = values(GroupName="/app/two")
    stack.client.update_stack(StackName="app", TemplateBody=BASICS, Parameters=parameters, **IAM)

    killed_at(own_engine, point)

    stack.wait("stack_update_complete")
    assert things(own_engine) == ONE_OF_EACH
    assert stack.physical("Group") == "/app/two"


@pytest.mark.parametrize("point", ["restore.Setting.change.done", "rollback-cleanup.plan.done"])
def test_a_rollback_goes_on_where_it_was_killed(own_engine: RunningEngine, point: str):
    own_engine.start()
    stack = Stack(own_engine).create(BASICS, **IAM)
    broken = BASICS.replace(
        "Outputs:",
        "  Bad: {Type: AWS::S3::Bucket, DependsOn: Setting, Properties: {BucketName: A_B}}\nOutputs:",
    )
    broken = broken.replace("Value: !GetAtt Group.Arn", "Value: other")
    own_engine.kill()
    own_engine.start(HOMEPORT_FAIL_AT=POINT + point)
    stack.client.update_stack(StackName="app", TemplateBody=broken, **IAM)

    killed_at(own_engine, point)

    stack.wait("stack_rollback_complete")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert things(own_engine) == ONE_OF_EACH


SERVICE = """
Resources:
  Cluster: {Type: AWS::ECS::Cluster}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties: {Family: web, ContainerDefinitions: [{Name: app, Image: nothing, Memory: 16}]}
  Service:
    Type: AWS::ECS::Service
    Properties: {Cluster: !Ref Cluster, TaskDefinition: !Ref Definition, DesiredCount: 0}
"""


def test_a_service_is_made_and_deleted_once_over_kills(own_engine: RunningEngine):
    own_engine.start(HOMEPORT_FAIL_AT=POINT + "create.Definition.create.done")
    stack = Stack(own_engine)
    stack.client.create_stack(StackName="app", TemplateBody=SERVICE)
    own_engine.wait_dead()
    own_engine.start(HOMEPORT_FAIL_AT=POINT + "delete.Service.2.delete.done")
    stack.wait("stack_create_complete")
    assert len(own_engine.client("ecs").list_task_definitions()["taskDefinitionArns"]) == 1

    stack_id = stack.describe()["StackId"]
    stack.client.delete_stack(StackName="app")
    own_engine.wait_dead()
    own_engine.start(HOMEPORT_FAIL_AT=POINT + "delete.Definition.1.delete.done")
    own_engine.wait_dead()
    own_engine.start()

    stack.client.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=QUICK)


def test_a_replacement_is_not_mistaken_for_what_it_replaces(own_engine: RunningEngine):
    template = "Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}}"
    own_engine.start(HOMEPORT_FAIL_AT=POINT + "update.Vpc.create.done")
    stack = Stack(own_engine).create(template)
    stack.client.update_stack(StackName="app", TemplateBody=template.replace("10.0", "10.1"))
    own_engine.wait_dead()
    own_engine.start()

    stack.wait("stack_update_complete")

    vpcs = own_engine.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])[
        "Vpcs"
    ]
    assert [(vpc["VpcId"], vpc["CidrBlock"]) for vpc in vpcs] == [(stack.physical("Vpc"), "10.1.0.0/16")]


LISTENER = """
Resources:
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [subnet-1, subnet-2]}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTP
      Port: 80
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: 1
      Conditions: [{Field: path-pattern, PathPatternConfig: {Values: [/ok]}}]
      Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "200"}}]
  Connection:
    Type: AWS::CodeConnections::Connection
    DependsOn: Rule
    Properties: {ConnectionName: github, ProviderType: GitHub}
  Provider:
    Type: AWS::IAM::OIDCProvider
    DependsOn: Connection
    Properties: {Url: "https://token.example.com", ClientIdList: [sts.amazonaws.com]}
"""


def test_what_was_made_before_a_kill_is_found_again(own_engine: RunningEngine):
    made = ["Listener", "Rule", "Connection", "Provider"]
    own_engine.start(HOMEPORT_FAIL_AT=f"{POINT}create.{made[0]}.create.done")
    stack = Stack(own_engine)
    stack.client.create_stack(StackName="app", TemplateBody=LISTENER, **IAM)
    for next in made[1:]:
        own_engine.wait_dead()
        own_engine.start(HOMEPORT_FAIL_AT=f"{POINT}create.{next}.create.done")
    own_engine.wait_dead()
    own_engine.start()

    stack.wait("stack_create_complete")

    rules = own_engine.client("elbv2").describe_rules(ListenerArn=stack.physical("Listener"))["Rules"]
    assert [rule["RuleArn"] for rule in rules if not rule["IsDefault"]] == [stack.physical("Rule")]


NAMELESS = """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}
  User: {Type: AWS::IAM::User, DependsOn: Key, Properties: {LoginProfile: {Password: Sesame-1-open}}}
  AccessKey: {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref User}}
  LinkedRole:
    Type: AWS::IAM::ServiceLinkedRole
    DependsOn: AccessKey
    Properties: {AWSServiceName: autoscaling.amazonaws.com}
  Profile: {Type: AWS::IAM::InstanceProfile, DependsOn: LinkedRole, Properties: {Roles: [!Ref Role]}}
  Vpc: {Type: AWS::EC2::VPC, DependsOn: Profile, Properties: {CidrBlock: 10.0.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway, DependsOn: Profile}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  FlowLog:
    Type: AWS::EC2::FlowLog
    DependsOn: Attachment
    Properties:
      ResourceId: !Ref Vpc
      ResourceType: VPC
      TrafficType: ALL
      LogGroupName: flows
      DeliverLogsPermissionArn: !GetAtt Role.Arn
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: vpc-flow-logs.amazonaws.com}, Action: sts:AssumeRole}
"""


def test_what_has_no_name_of_its_own_is_made_once_over_kills(own_engine: RunningEngine):
    kept = ["Key", "User", "AccessKey", "LinkedRole", "Profile", "Attachment", "FlowLog"]
    own_engine.start(HOMEPORT_FAIL_AT=f"{POINT}create.{kept[0]}.create.done")
    stack = Stack(own_engine)
    stack.client.create_stack(StackName="app", TemplateBody=NAMELESS, **IAM)
    for next in kept[1:]:
        own_engine.wait_dead()
        own_engine.start(HOMEPORT_FAIL_AT=f"{POINT}create.{next}.create.done")
    own_engine.wait_dead()
    own_engine.start()

    stack.wait("stack_create_complete")

    keys = own_engine.client("kms").list_keys()["Keys"]
    assert [key["KeyId"] for key in keys] == [stack.physical("Key")]
    access_keys = own_engine.client("iam").list_access_keys(UserName=stack.physical("User"))
    assert [each["AccessKeyId"] for each in access_keys["AccessKeyMetadata"]] == [stack.physical("AccessKey")]
    flow_logs = own_engine.client("ec2").describe_flow_logs()["FlowLogs"]
    assert [each["FlowLogId"] for each in flow_logs] == [stack.physical("FlowLog")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_at_random_moments_lose_no_stack(own_engine: RunningEngine):
    random = Random(7)
    own_engine.start()
    nothing = things(own_engine)
    for round in range(4):
        stack = Stack(own_engine, f"app{round}")
        stack.client.create_stack(StackName=stack.name, TemplateBody=BASICS, **IAM)
        time.sleep(random.uniform(0, 0.5))
        own_engine.restart()
        stack.wait("stack_create_complete")
        assert things(own_engine) == ONE_OF_EACH

        stack_id = stack.describe()["StackId"]
        stack.client.delete_stack(StackName=stack.name)
        time.sleep(random.uniform(0, 0.3))
        own_engine.restart()
        stack.client.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=QUICK)
        assert things(own_engine) == nothing
