"""Stacks of many types, by the aws cli as people use it."""

from pathlib import Path

import pytest

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import NETWORK, Stack

DELIVERY = """
Parameters: {Threshold: {Type: Number, Default: 1}}
Resources:
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      ImageScanningConfiguration: {ScanOnPush: true}
      EmptyOnDelete: true
      LifecyclePolicy:
        LifecyclePolicyText: '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}'
  Source: {Type: AWS::CodeCommit::Repository, Properties: {RepositoryName: app}}
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: main, ClusterSettings: [{Name: containerInsights, Value: enabled}]}}
  Execution:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: [ecs-tasks.amazonaws.com, events.amazonaws.com]}, Action: sts:AssumeRole}]
  ExecutionPolicy:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: pull
      Roles: [!Ref Execution]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "ecr:*", Resource: !GetAtt Repository.Arn}]}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Cpu: 256
      Memory: 512
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      ExecutionRoleArn: !GetAtt Execution.Arn
      ContainerDefinitions:
        - Name: web
          Image: !Sub "${Repository.RepositoryUri}:latest"
          PortMappings: [{ContainerPort: 80}]
          Environment: [{Name: TOPIC, Value: !Ref Topic}]
          LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: !Ref Logs, awslogs-region: !Ref AWS::Region, awslogs-stream-prefix: web}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 1}}
  Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref Logs
      FilterPattern: ERROR
      MetricTransformations: [{MetricName: errors, MetricNamespace: app, MetricValue: "1"}]
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: news, Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sns:Publish", Resource: !Ref Topic}]}
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: app
      MetricName: errors
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: !Ref Threshold
      ComparisonOperator: GreaterThanOrEqualToThreshold
      AlarmActions: [!Ref Topic]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.codecommit], resources: [!GetAtt Source.Arn]}
      Targets: [{Id: topic, Arn: !Ref Topic}]
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*", Resource: "*"}]}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/app, TargetKeyId: !Ref Key}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [!Ref Public, !Ref Private], SecurityGroups: [!Ref Group], LoadBalancerAttributes: [{Key: idle_timeout.timeout_seconds, Value: 30}]}}
  Targets: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {VpcId: !Ref Vpc, Port: 80, Protocol: HTTP, TargetType: ip, HealthCheckPath: /health, TargetGroupAttributes: [{Key: deregistration_delay.timeout_seconds, Value: 5}]}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 18080
      Protocol: HTTP
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: 404, ContentType: text/plain}}]
  Path:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: 1
      Conditions: [{Field: path-pattern, PathPatternConfig: {Values: [/*]}}]
      Actions: [{Type: forward, TargetGroupArn: !Ref Targets}]
"""


def delivery() -> str:
    network, _, outputs = NETWORK.removeprefix("\nParameters:\n").partition("Outputs:")
    _, _, rest = DELIVERY.partition("Resources:")
    return "Parameters:\n  Threshold: {Type: Number, Default: 1}\n" + network + rest + "Outputs:" + outputs


def test_a_delivery_stack_is_made_changed_and_deleted(engine: RunningEngine):
    stack = Stack(engine).create(
        delivery(), Capabilities=["CAPABILITY_IAM"], Tags=[{"Key": "team", "Value": "web"}]
    )

    parameters = [{"ParameterKey": "Threshold", "ParameterValue": "5"}]
    stack.update(delivery(), Capabilities=["CAPABILITY_IAM"], Parameters=parameters)
    assert engine.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["Threshold"] == 5
    modified = [line for line in stack.reasons.splitlines() if "UPDATE_IN_PROGRESS" in line]
    assert [line.split()[0] for line in modified] == ["app", "Alarm"]

    stack.delete()
    assert not engine.client("ecr").describe_repositories()["repositories"]


@pytest.mark.slow
def test_the_cli_deploys_a_stack_once_and_finds_no_changes_then(engine: RunningEngine, tmp_path: Path):
    template = tmp_path / "stack.yaml"
    template.write_text(NETWORK)
    deploy = ["cloudformation", "deploy", "--stack-name", "app", "--template-file", str(template)]

    first = engine.aws(*deploy, "--tags", "team=web", check=False)
    assert "Successfully created/updated stack" in first.stdout, first.stderr + Stack(engine).reasons
    again = engine.aws(*deploy, "--tags", "team=web")
    assert "No changes to deploy" in again.stdout
