"""Where tasks and builds run: a VPC with public and private subnets in two zones, or an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from homeport.manifest.model import Manifest
from homeport.stack.cloudformation import Resources, Value, attribute, ref, resource, sub

ZONES = ("A", "B")
ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "sts", "codebuild")


@dataclass(frozen=True, slots=True)
class Place:
    """The network as the other parts refer to it."""

    vpc: Value
    public: list[Value]
    private: list[Value]


def place(manifest: Manifest) -> Place:
    """References to the network."""
    network = manifest.network
    if network.vpc:
        return Place(network.vpc, list(network.public_subnets), list(network.private_subnets))
    return Place(
        ref("Vpc"),
        [ref(f"PublicSubnet{zone}") for zone in ZONES],
        [ref(f"PrivateSubnet{zone}") for zone in ZONES],
    )


def resources(manifest: Manifest) -> Resources:
    """The network's resources; none for an existing VPC."""
    if manifest.network.vpc:
        return {}
    found = _public(manifest) | _private()
    if manifest.network.egress == "endpoints":
        return found | _endpoints(manifest)
    return found | _nat(ZONES if manifest.network.egress == "nat-per-zone" else ZONES[:1])


def _public(manifest: Manifest) -> Resources:
    cidr = manifest.network.cidr
    found: Resources = {
        "Vpc": resource(
            "AWS::EC2::VPC",
            {"CidrBlock": cidr, "EnableDnsHostnames": True, "EnableDnsSupport": True, "Tags": _name("")},
        ),
        "InternetGateway": resource("AWS::EC2::InternetGateway", {"Tags": _name("")}),
        "InternetGatewayAttachment": resource(
            "AWS::EC2::VPCGatewayAttachment",
            {"VpcId": ref("Vpc"), "InternetGatewayId": ref("InternetGateway")},
        ),
        "PublicRouteTable": resource("AWS::EC2::RouteTable", {"VpcId": ref("Vpc"), "Tags": _name("public")}),
        "PublicRoute": resource(
            "AWS::EC2::Route",
            {
                "RouteTableId": ref("PublicRouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": ref("InternetGateway"),
            },
            DependsOn="InternetGatewayAttachment",
        ),
    }
    for at, zone in enumerate(ZONES):
        found |= _subnet("Public", zone, at, at, cidr)
        found[f"PublicSubnet{zone}RouteTableAssociation"] = _association(
            "PublicSubnet", zone, "PublicRouteTable"
        )
        found |= _subnet("Private", zone, at, at + 8, cidr)
    return found


def _private() -> Resources:
    found: Resources = {}
    for zone in ZONES:
        table = f"PrivateRouteTable{zone}"
        found[table] = resource(
            "AWS::EC2::RouteTable", {"VpcId": ref("Vpc"), "Tags": _name(f"private {zone}")}
        )
        found[f"PrivateSubnet{zone}RouteTableAssociation"] = _association("PrivateSubnet", zone, table)
    return found


def _subnet(kind: str, zone: str, at: int, number: int, cidr: str) -> Resources:
    return {
        f"{kind}Subnet{zone}": resource(
            "AWS::EC2::Subnet",
            {
                "VpcId": ref("Vpc"),
                "CidrBlock": {"Fn::Select": [number, {"Fn::Cidr": [cidr, 16, 8]}]},
                "AvailabilityZone": {"Fn::Select": [at, {"Fn::GetAZs": ""}]},
                "Tags": _name(f"{kind.lower()} {zone}"),
            },
        )
    }


def _association(subnet: str, zone: str, table: str) -> dict[str, object]:
    return resource(
        "AWS::EC2::SubnetRouteTableAssociation",
        {"SubnetId": ref(f"{subnet}{zone}"), "RouteTableId": ref(table)},
    )


def _nat(zones: tuple[str, ...]) -> Resources:
    found: Resources = {}
    for zone in zones:
        found[f"NatAddress{zone}"] = resource(
            "AWS::EC2::EIP",
            {"Domain": "vpc", "Tags": _name(f"nat {zone}")},
            DependsOn="InternetGatewayAttachment",
        )
        found[f"NatGateway{zone}"] = resource(
            "AWS::EC2::NatGateway",
            {
                "AllocationId": attribute(f"NatAddress{zone}", "AllocationId"),
                "SubnetId": ref(f"PublicSubnet{zone}"),
                "Tags": _name(zone),
            },
        )
    for zone in ZONES:
        found[f"PrivateRoute{zone}"] = resource(
            "AWS::EC2::Route",
            {
                "RouteTableId": ref(f"PrivateRouteTable{zone}"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": ref(f"NatGateway{zone if zone in zones else zones[0]}"),
            },
        )
    return found


def _endpoints(manifest: Manifest) -> Resources:
    found: Resources = {
        "EndpointSecurityGroup": resource(
            "AWS::EC2::SecurityGroup",
            {
                "GroupDescription": "HTTPS from the VPC to the endpoints of AWS services",
                "VpcId": ref("Vpc"),
                "SecurityGroupIngress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 443,
                        "ToPort": 443,
                        "CidrIp": manifest.network.cidr,
                        "Description": "HTTPS from the VPC",
                    }
                ],
                "SecurityGroupEgress": [
                    {
                        "IpProtocol": "-1",
                        "CidrIp": "127.0.0.1/32",
                        "Description": "endpoints begin no connection",
                    }
                ],
            },
        ),
        "S3Endpoint": resource(
            "AWS::EC2::VPCEndpoint",
            {
                "VpcId": ref("Vpc"),
                "VpcEndpointType": "Gateway",
                "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
                "RouteTableIds": [ref(f"PrivateRouteTable{zone}") for zone in ZONES],
            },
        ),
    }
    for service in ENDPOINTS:
        name = "".join(part.capitalize() for part in service.split("."))
        found[f"{name}Endpoint"] = resource(
            "AWS::EC2::VPCEndpoint",
            {
                "VpcId": ref("Vpc"),
                "VpcEndpointType": "Interface",
                "ServiceName": sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
                "PrivateDnsEnabled": True,
                "SubnetIds": [ref(f"PrivateSubnet{zone}") for zone in ZONES],
                "SecurityGroupIds": [attribute("EndpointSecurityGroup", "GroupId")],
            },
        )
    return found


def _name(part: str) -> list[dict[str, Value]]:
    return [{"Key": "Name", "Value": sub("${AWS::StackName} " + part) if part else ref("AWS::StackName")}]
