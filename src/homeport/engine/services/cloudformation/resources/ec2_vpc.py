"""AWS::EC2::VPC: what EC2 makes together with it."""

from __future__ import annotations

from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.provider import Made, Request


class Vpc(Type):
    """A VPC has a security group and a network ACL from the start; Fn::GetAtt tells them, and the IPv6 blocks that
    an AWS::EC2::VPCCidrBlock adds."""

    grows = True

    async def settled(self, request: Request) -> Made | None:
        made = await super().settled(request)
        if made is None:
            return None
        client = request.client("ec2")
        of_vpc = {"Name": "vpc-id", "Values": [request.id]}
        named = {"Name": "group-name", "Values": ["default"]}
        groups = (await client.describe_security_groups(Filters=[of_vpc, named]))["SecurityGroups"]
        default = {"Name": "default", "Values": ["true"]}
        acls = (await client.describe_network_acls(Filters=[of_vpc, default]))["NetworkAcls"]
        defaults = {
            "DefaultSecurityGroup": groups[0]["GroupId"],
            "DefaultNetworkAcl": acls[0]["NetworkAclId"],
        }
        return Made(made.id, {**made.attributes, **defaults})
