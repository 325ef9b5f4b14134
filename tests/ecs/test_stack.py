"""A stack with a network, a load balancer and a service of three tasks, deployed by the aws cli."""

import http.client
from pathlib import Path
from typing import Any

from tests.containers.conftest import IMAGE
from tests.ecs.conftest import Ecs, web

TEMPLATE = f"""
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true}}}}
  Gateway: {{Type: AWS::EC2::InternetGateway}}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {{VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
  SubnetA:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, AvailabilityZone: !Select [0, !GetAZs ""]}}
  SubnetB:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: !Select [1, !GetAZs ""]}}
  Open:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: open to everybody
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 80, ToPort: 8080, CidrIp: 0.0.0.0/0}}]
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    DependsOn: Attachment
    Properties: {{Subnets: [!Ref SubnetA, !Ref SubnetB], SecurityGroups: [!Ref Open]}}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {{VpcId: !Ref Vpc, TargetType: ip, Protocol: HTTP, Port: 8080, HealthCheckPath: /}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Protocol: HTTP
      Port: 80
      DefaultActions: [{{Type: forward, TargetGroupArn: !Ref Targets}}]
  Cluster: {{Type: AWS::ECS::Cluster}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      Cpu: "256"
      Memory: "512"
      ContainerDefinitions:
        - Name: web
          Image: {IMAGE}
          Command: [sh, -c, !Ref Script]
          StopTimeout: 2
          PortMappings: [{{ContainerPort: 8080}}]
  Service:
    Type: AWS::ECS::Service
    DependsOn: Listener
    Properties:
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Definition
      DesiredCount: 3
      LaunchType: FARGATE
      NetworkConfiguration:
        AwsvpcConfiguration: {{Subnets: [!Ref SubnetA, !Ref SubnetB], SecurityGroups: [!Ref Open]}}
      LoadBalancers: [{{ContainerName: web, ContainerPort: 8080, TargetGroupArn: !Ref Targets}}]
Parameters: {{Script: {{Type: String}}}}
Outputs:
  Balancer: {{Value: !Ref Balancer}}
  Name: {{Value: !GetAtt Balancer.DNSName}}
  Cluster: {{Value: !Ref Cluster}}
  Service: {{Value: !GetAtt Service.Name}}
"""


def test_a_stack_serves_under_the_name_of_its_load_balancer(engine: Any, ecs: Ecs, tmp_path: Path) -> None:
    template = tmp_path / "stack.yaml"
    template.write_text(TEMPLATE)
    deploy = ["cloudformation", "deploy", "--stack-name", "web", "--template-file", str(template)]

    engine.aws(*deploy, "--parameter-overrides", f"Script={web('hello')}")

    (stack,) = engine.client("cloudformation").describe_stacks(StackName="web")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    cluster, service = outputs["Cluster"], outputs["Service"]
    engine.aws("ecs", "wait", "services-stable", "--cluster", cluster, "--services", service)
    elbv2 = engine.client("elbv2")
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=outputs["Balancer"])["Attributes"]
    port = {each["Key"]: each["Value"] for each in attributes}.get("homeport.port.80", "80")
    # not every resolver knows that names below localhost are this machine's; browsers and curl do
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    connection.request("GET", "/", headers={"Host": outputs["Name"]})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"hello")
    connection.close()
    (found,) = ecs.api.describe_services(cluster=cluster, services=[service])["services"]
    assert found["runningCount"] == 3
