"""The load balancer of an environment: it alone is open to the world, and only on its listener's port."""

from __future__ import annotations

from typing import Any

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, Value, attribute, ref, resource, role, sub
from homeport.stack.network import place

_INFRASTRUCTURE = "AmazonECSInfrastructureRolePolicyForLoadBalancers"


def resources(manifest: Manifest, own: str) -> Resources:
    """Security group, load balancer, listener, target groups; for shifts of traffic also the rule that shifts."""
    where = place(manifest)
    port = 443 if manifest.network.certificate else 80
    found: Resources = {
        f"{own}LoadBalancerSecurityGroup": resource(
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": f"users to the load balancer of {manifest.app}",
                "VpcId": where.vpc,
                "SecurityGroupIngress": [_open(each) for each in ([80, 443] if port == 443 else [80])],
                "SecurityGroupEgress": [_out(manifest)],
            },
        ),
        f"{own}LoadBalancer": resource(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "Type": "application",
                "Scheme": "internet-facing",
                "Subnets": where.public,
                "SecurityGroups": [attribute(f"{own}LoadBalancerSecurityGroup", "GroupId")],
                "LoadBalancerAttributes": [
                    {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}
                ],
            },
            **({} if manifest.network.vpc else {"DependsOn": ["InternetGatewayAttachment"]}),
        ),
        f"{own}TargetGroup": _target_group(manifest),
        f"{own}Listener": _listener(manifest, own, port),
        f"{own}ListenerRule": resource(
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            {
                "ListenerArn": ref(f"{own}Listener"),
                "Priority": 1,
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
                "Actions": [_forward(manifest, own)],
            },
        ),
    }
    if port == 443:
        found[f"{own}RedirectListener"] = _redirect(own)
    if manifest.deploy.strategy != "rolling":
        found[f"{own}AlternateTargetGroup"] = _target_group(manifest)
        found[f"{own}ShiftRole"] = role(
            "ecs",
            {},
            "ECS shifts traffic between the two target groups",
            [sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{_INFRASTRUCTURE}")],
        )
    return found


def attachment(manifest: Manifest, own: str) -> dict[str, Value]:
    """The service's entry for its load balancer."""
    found: dict[str, Value] = {
        "ContainerName": manifest.container,
        "ContainerPort": manifest.service.port,
        "TargetGroupArn": ref(f"{own}TargetGroup"),
    }
    if manifest.deploy.strategy != "rolling":
        found["AdvancedConfiguration"] = {
            "AlternateTargetGroupArn": ref(f"{own}AlternateTargetGroup"),
            "ProductionListenerRule": ref(f"{own}ListenerRule"),
            "RoleArn": attribute(f"{own}ShiftRole", "Arn"),
        }
    return found


def _open(port: int) -> dict[str, Value]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "CidrIp": "0.0.0.0/0",
        "Description": "users",
    }


def _out(manifest: Manifest) -> dict[str, Value]:
    """To the tasks. The address range of an existing VPC is not known here, the port is."""
    return {
        "IpProtocol": "tcp",
        "FromPort": manifest.service.port,
        "ToPort": manifest.service.port,
        "CidrIp": "0.0.0.0/0" if manifest.network.vpc else manifest.network.cidr,
        "Description": "to the tasks of this VPC",
    }


def _target_group(manifest: Manifest) -> dict[str, Any]:
    service = manifest.service
    return resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {
            "VpcId": place(manifest).vpc,
            "Port": service.port,
            "Protocol": "HTTP",
            "TargetType": "ip",
            "HealthCheckPath": service.health,
            "HealthCheckIntervalSeconds": 10,
            "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 3,
            "Matcher": {"HttpCode": "200"},
            "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        },
    )


def _listener(manifest: Manifest, own: str, port: int) -> dict[str, Any]:
    nothing = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "nothing is deployed here"}
    properties: dict[str, Value] = {
        "LoadBalancerArn": ref(f"{own}LoadBalancer"),
        "Port": port,
        "Protocol": "HTTPS" if port == 443 else "HTTP",
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": nothing}],
    }
    if port == 443:
        properties["Certificates"] = [{"CertificateArn": manifest.network.certificate}]
        properties["SslPolicy"] = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    return resource("AWS::ElasticLoadBalancingV2::Listener", properties)


def _redirect(own: str) -> dict[str, Any]:
    return resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": ref(f"{own}LoadBalancer"),
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [
                {
                    "Type": "redirect",
                    "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
                }
            ],
        },
    )


def _forward(manifest: Manifest, own: str) -> dict[str, Value]:
    if manifest.deploy.strategy == "rolling":
        return {"Type": "forward", "TargetGroupArn": ref(f"{own}TargetGroup")}
    groups = [
        {"TargetGroupArn": ref(f"{own}TargetGroup"), "Weight": 1},
        {"TargetGroupArn": ref(f"{own}AlternateTargetGroup"), "Weight": 0},
    ]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
