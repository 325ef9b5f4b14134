"""The application as it runs: load balancer, task definition, service and their roles, for each environment."""

from __future__ import annotations

from typing import Any

from homeport.manifest.model import Manifest
from homeport.manifest.service import Sidecar
from homeport.stack import balancing
from homeport.stack.cloudformation import Resources, Value, allow, attribute, pascal, ref, resource, role
from homeport.stack.network import place
from homeport.stack.secrets import secret_statements

NO_IMAGE = "public.ecr.aws/docker/library/busybox:stable"
"""What the task definition names until the pipeline has built an image. No task runs it: the service has none yet."""
_PULL = ["BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"]


def prefix(manifest: Manifest, environment: str) -> str:
    """What the logical ids of an environment begin with; nothing when there is one only."""
    return pascal(environment) if len(manifest.environments) > 1 else ""


def resources(manifest: Manifest) -> Resources:
    """Cluster, roles, and each environment's service."""
    found: Resources = {
        "Cluster": resource(
            "AWS::ECS::Cluster",
            {
                "ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}],
                "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            },
        ),
        "ServiceLogs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": {"Fn::Sub": "/ecs/${AWS::StackName}"},
                "RetentionInDays": manifest.cost.log_days,
            },
        ),
        "ExecutionRole": role(
            "ecs-tasks", _execution(manifest), "ECS pulls the image, reads named secrets, writes logs"
        ),
        "TaskRole": role("ecs-tasks", _task(manifest), "what the application itself may do"),
    }
    for name in manifest.environments:
        found |= balancing.resources(manifest, prefix(manifest, name))
        found |= _service(manifest, name)
    return found


def _execution(manifest: Manifest) -> dict[str, list[dict[str, Any]]]:
    return {
        "images": [
            allow(["ecr:GetAuthorizationToken"], "*"),
            allow([f"ecr:{name}" for name in _PULL], attribute("Repository", "Arn")),
        ],
        "logs": [allow(["logs:CreateLogStream", "logs:PutLogEvents"], attribute("ServiceLogs", "Arn"))],
        "secrets": secret_statements(manifest.service.secrets.values()),
    }


def _task(manifest: Manifest) -> dict[str, list[dict[str, Any]]]:
    return {"application": [allow(each.actions, each.resources) for each in manifest.service.permissions]}


def _service(manifest: Manifest, environment: str) -> Resources:
    own = prefix(manifest, environment)
    service = manifest.service
    where = place(manifest)
    found: Resources = {
        f"{own}TaskDefinition": resource(
            "AWS::ECS::TaskDefinition",
            {
                "Family": {"Fn::Sub": f"${{AWS::StackName}}-{environment}"},
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "Cpu": str(service.cpu),
                "Memory": str(service.memory),
                "ExecutionRoleArn": attribute("ExecutionRole", "Arn"),
                "TaskRoleArn": attribute("TaskRole", "Arn"),
                "ContainerDefinitions": _containers(manifest, environment),
            },
        ),
        f"{own}ServiceSecurityGroup": resource(
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "from the load balancer to the tasks",
                "VpcId": where.vpc,
                "SecurityGroupIngress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": service.port,
                        "ToPort": service.port,
                        "SourceSecurityGroupId": attribute(f"{own}LoadBalancerSecurityGroup", "GroupId"),
                        "Description": "from the load balancer",
                    }
                ],
                "SecurityGroupEgress": [
                    {
                        "IpProtocol": "-1",
                        "CidrIp": "0.0.0.0/0",
                        "Description": "AWS, and what the application uses",
                    }
                ],
            },
        ),
        f"{own}Service": resource(
            "AWS::ECS::Service",
            {
                "ServiceName": environment,
                "Cluster": ref("Cluster"),
                "TaskDefinition": ref(f"{own}TaskDefinition"),
                "DesiredCount": ref(f"{own}DesiredCount"),
                "CapacityProviderStrategy": _capacity(manifest.cost.spot),
                "HealthCheckGracePeriodSeconds": 30,
                "PropagateTags": "SERVICE",
                "EnableECSManagedTags": True,
                "DeploymentConfiguration": _deployment(manifest, own),
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "Subnets": where.private,
                        "SecurityGroups": [attribute(f"{own}ServiceSecurityGroup", "GroupId")],
                        "AssignPublicIp": "DISABLED",
                    }
                },
                "LoadBalancers": [balancing.attachment(manifest, own)],
            },
            # the strategies that shift traffic refer to the rule, and so wait for it by themselves
            **({"DependsOn": [f"{own}ListenerRule"]} if manifest.deploy.strategy == "rolling" else {}),
        ),
    }
    return found


def _containers(manifest: Manifest, environment: str) -> list[dict[str, Value]]:
    service = manifest.service
    application: dict[str, Value] = {
        "Name": manifest.container,
        "Image": ref(f"{prefix(manifest, environment)}Image"),
        "Essential": True,
        "PortMappings": [{"ContainerPort": service.port, "Protocol": "tcp"}],
        "Environment": _pairs({"PORT": str(service.port), "ENVIRONMENT": environment, **service.environment}),
        "StopTimeout": service.stop_timeout,
        "LogConfiguration": _logs(environment),
    }
    if service.secrets:
        application["Secrets"] = [
            {"Name": name, "ValueFrom": value} for name, value in service.secrets.items()
        ]
    if service.command:
        application["Command"] = service.command
    return [application, *(_sidecar(name, each, environment) for name, each in service.sidecars.items())]


def _sidecar(name: str, sidecar: Sidecar, environment: str) -> dict[str, Value]:
    found: dict[str, Value] = {
        "Name": name,
        "Image": sidecar.image,
        "Essential": sidecar.essential,
        "Environment": _pairs(sidecar.environment),
        "LogConfiguration": _logs(environment),
    }
    if sidecar.port:
        found["PortMappings"] = [{"ContainerPort": sidecar.port, "Protocol": "tcp"}]
    return found


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _logs(environment: str) -> dict[str, Value]:
    options = {"awslogs-group": ref("ServiceLogs"), "awslogs-region": ref("AWS::Region")}
    return {"LogDriver": "awslogs", "Options": {**options, "awslogs-stream-prefix": environment}}


def _capacity(spot: int) -> list[dict[str, Value]]:
    providers = {"FARGATE": 100 - spot, "FARGATE_SPOT": spot}
    return [{"CapacityProvider": name, "Weight": weight} for name, weight in providers.items() if weight]


def _deployment(manifest: Manifest, own: str) -> dict[str, Value]:
    deploy = manifest.deploy
    found: dict[str, Value] = {
        "MinimumHealthyPercent": 100,
        "MaximumPercent": 200,
        "DeploymentCircuitBreaker": {"Enable": deploy.breaker, "Rollback": deploy.breaker},
    }
    if deploy.strategy != "rolling":
        found["Strategy"] = deploy.strategy.upper().replace("-", "_")
        found["BakeTimeInMinutes"] = deploy.bake
    if deploy.strategy == "canary":
        found["CanaryConfiguration"] = {
            "CanaryPercent": deploy.percent,
            "CanaryBakeTimeInMinutes": deploy.wait,
        }
    if deploy.strategy == "linear":
        found["LinearConfiguration"] = {
            "StepPercent": max(3.0, deploy.percent),
            "StepBakeTimeInMinutes": deploy.wait,
        }
    if deploy.alarms:
        found["Alarms"] = {"AlarmNames": [ref(f"{own}ErrorAlarm")], "Enable": True, "Rollback": True}
    return found
