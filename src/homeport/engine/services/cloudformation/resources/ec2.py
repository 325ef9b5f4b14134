"""EC2's network types: AWS::EC2::*.

Every resource gets CloudFormation's own tags, as on AWS; by them a resource is found again that a killed engine had
made without recording it.
"""

from __future__ import annotations

from collections.abc import Mapping

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.ec2_acls import SubnetNetworkAclAssociation
from homeport.engine.services.cloudformation.resources.ec2_groups import SECURITY_GROUP_TYPES
from homeport.engine.services.cloudformation.resources.ec2_vpc import Vpc
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Part, Put, Tags

_SYSTEM_TAGS = (
    "[{Key: 'aws:cloudformation:stack-name', Value: stack_name}, "
    "{Key: 'aws:cloudformation:stack-id', Value: stack_id}, "
    "{Key: 'aws:cloudformation:logical-id', Value: logical_id}]"
)
_ALL_TAGS = f"[properties.Tags || `[]`, {_SYSTEM_TAGS}][]"
_FILTERS = (
    "[{Name: 'tag:aws:cloudformation:stack-id', Values: [stack_id]}, "
    "{Name: 'tag:aws:cloudformation:logical-id', Values: [logical_id]}]"
)
_TAGS = Tags(
    Call("create_tags", {"Resources": "[id]", "Tags": "added"}, only=True),
    Call("delete_tags", {"Resources": "[id]", "Tags": "removed[].{Key: @}"}, only=True),
)


def _type(
    type: str,
    noun: str,
    operation: str,
    plural: str,
    id: str,
    *,
    members: Mapping[str, str] | None = None,
    parts: tuple[Part, ...] = (),
    ready: str = "",
    deleted: str = "",
    attributes: Mapping[str, str] | None = None,
    filters: str = "Filters",
    delete: Call | None = None,
    made_by: type[Type] = Type,
) -> Type:
    """A type that is made with tags: `noun` is EC2's resource type, `operation` ends the names of the operations that
    make, describe and delete it, `plural` is the member that lists it, `id` its id's."""
    specifications = f"[{{ResourceType: '{noun}', Tags: {_ALL_TAGS}}}]"
    return made_by(
        type,
        "ec2",
        create=Call(f"create_{operation}", {"TagSpecifications": specifications, **(members or {})}),
        id=f"response.*.{id} | [0]",
        find=Call(f"describe_{operation}s", {filters: _FILTERS}, only=True),
        found_ids=f"response.{plural}[].{id}",
        read=Call(f"describe_{operation}s", {f"{id}s": "[id]"}, only=True),
        found=f"{plural}[0]",
        attributes={id: "id", **(attributes or {})},
        ready=ready,
        deleted=deleted,
        parts=(_TAGS, *parts),
        delete=delete or Call(f"delete_{operation}", {id: "id"}, only=True),
    )


def _attribute(operation: str, key: str, property: str, member: str = "", value: str = "") -> Put:
    """A property that an operation of its own sets."""
    member = member or property
    value = value or f"{{Value: properties.{property}}}"
    return Put(Call(operation, {key: "id", member: value}, only=True), (property,))


TYPES = (
    _type(
        "AWS::EC2::VPC",
        "vpc",
        "vpc",
        "Vpcs",
        "VpcId",
        parts=(
            _attribute("modify_vpc_attribute", "VpcId", "EnableDnsSupport"),
            _attribute("modify_vpc_attribute", "VpcId", "EnableDnsHostnames"),
        ),
        attributes={
            "CidrBlockAssociations": "read.CidrBlockAssociationSet[].AssociationId",
            "Ipv6CidrBlocks": "read.Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        },
        made_by=Vpc,
    ),
    _type(
        "AWS::EC2::Subnet",
        "subnet",
        "subnet",
        "Subnets",
        "SubnetId",
        parts=(_attribute("modify_subnet_attribute", "SubnetId", "MapPublicIpOnLaunch"),),
    ),
    _type(
        "AWS::EC2::InternetGateway",
        "internet-gateway",
        "internet_gateway",
        "InternetGateways",
        "InternetGatewayId",
    ),
    Type(
        "AWS::EC2::VPCGatewayAttachment",
        "ec2",
        create=Call("attach_internet_gateway"),
        id="join('|', ['IGW', properties.VpcId])",
        delete=Call("detach_internet_gateway"),
    ),
    Type(
        "AWS::EC2::VPCCidrBlock",
        "ec2",
        create=Call("associate_vpc_cidr_block"),
        id="response.*.AssociationId | [0]",
        attributes={"Id": "id", "VpcId": "properties.VpcId"},
        delete=Call("disassociate_vpc_cidr_block", {"AssociationId": "id"}, only=True),
    ),
    _type(
        "AWS::EC2::EgressOnlyInternetGateway",
        "egress-only-internet-gateway",
        "egress_only_internet_gateway",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
        attributes={"Id": "id"},
    ),
    Type(
        "AWS::EC2::EIP",
        "ec2",
        create=Call(
            "allocate_address",
            {
                "Domain": "properties.Domain || 'vpc'",
                "TagSpecifications": f"[{{ResourceType: 'elastic-ip', Tags: {_ALL_TAGS}}}]",
            },
        ),
        id="response.PublicIp",
        find=Call("describe_addresses", {"Filters": _FILTERS}, only=True),
        found_ids="response.Addresses[].PublicIp",
        read=Call("describe_addresses", {"PublicIps": "[id]"}, only=True),
        found="Addresses[0]",
        parts=(
            Tags(
                Call("create_tags", {"Resources": "[attributes.AllocationId]", "Tags": "added"}, only=True),
                Call(
                    "delete_tags",
                    {"Resources": "[attributes.AllocationId]", "Tags": "removed[].{Key: @}"},
                    only=True,
                ),
            ),
        ),
        delete=Call("release_address", {"AllocationId": "attributes.AllocationId"}, only=True),
    ),
    _type(
        "AWS::EC2::NatGateway",
        "natgateway",
        "nat_gateway",
        "NatGateways",
        "NatGatewayId",
        ready="State == 'available'",
        deleted="State == 'deleted'",
        filters="Filter",
    ),
    _type("AWS::EC2::RouteTable", "route-table", "route_table", "RouteTables", "RouteTableId"),
    Type(
        "AWS::EC2::Route",
        "ec2",
        create=Call("create_route"),
        id="join('|', [properties.RouteTableId, properties.DestinationCidrBlock || "
        "properties.DestinationIpv6CidrBlock || properties.DestinationPrefixListId])",
        attributes={"CidrBlock": "properties.DestinationCidrBlock"},
        parts=(Put(Call("replace_route"), at_creation=False),),
        delete=Call("delete_route"),
    ),
    Type(
        "AWS::EC2::SubnetRouteTableAssociation",
        "ec2",
        create=Call("associate_route_table"),
        id="response.AssociationId",
        attributes={"Id": "id"},
        delete=Call("disassociate_route_table", {"AssociationId": "id"}, only=True),
    ),
    _type(
        "AWS::EC2::VPCEndpoint",
        "vpc-endpoint",
        "vpc_endpoint",
        "VpcEndpoints",
        "VpcEndpointId",
        members={"VpcEndpointType": "properties.VpcEndpointType || 'Gateway'"},
        delete=Call("delete_vpc_endpoints", {"VpcEndpointIds": "[id]"}, only=True),
        parts=(
            Put(
                Call(
                    "modify_vpc_endpoint",
                    {
                        "VpcEndpointId": "id",
                        "AddRouteTableIds": "properties.RouteTableIds",
                        "AddSubnetIds": "properties.SubnetIds",
                        "AddSecurityGroupIds": "properties.SecurityGroupIds",
                    },
                ),
                at_creation=False,
            ),
        ),
        attributes={"Id": "id"},
    ),
    Type(
        "AWS::EC2::FlowLog",
        "ec2",
        create=Call(
            "create_flow_logs",
            {
                "ResourceIds": "[properties.ResourceId]",
                "TagSpecifications": f"[{{ResourceType: 'vpc-flow-log', Tags: {_ALL_TAGS}}}]",
            },
        ),
        id="response.FlowLogIds[0]",
        find=Call("describe_flow_logs", {"Filter": _FILTERS}, only=True),
        found_ids="response.FlowLogs[].FlowLogId",
        attributes={"Id": "id"},
        parts=(_TAGS,),
        delete=Call("delete_flow_logs", {"FlowLogIds": "[id]"}, only=True),
    ),
    _type("AWS::EC2::NetworkAcl", "network-acl", "network_acl", "NetworkAcls", "NetworkAclId"),
    Type(
        "AWS::EC2::NetworkAclEntry",
        "ec2",
        create=Call("create_network_acl_entry", {"Protocol": "to_string(properties.Protocol)"}),
        id="join('|', [properties.NetworkAclId, to_string(properties.RuleNumber), "
        "to_string(properties.Egress || `false`)])",
        parts=(
            Put(
                Call("replace_network_acl_entry", {"Protocol": "to_string(properties.Protocol)"}),
                at_creation=False,
            ),
        ),
        delete=Call("delete_network_acl_entry"),
    ),
    SubnetNetworkAclAssociation("AWS::EC2::SubnetNetworkAclAssociation"),
    *SECURITY_GROUP_TYPES,
)
