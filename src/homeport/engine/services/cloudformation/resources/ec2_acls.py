"""AWS::EC2::SubnetNetworkAclAssociation: which network ACL a subnet has."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.cloudformation.resources.provider import Made, Request, ResourceProvider

Body = dict[str, Any]


class SubnetNetworkAclAssociation(ResourceProvider):
    """A subnet always has an ACL: the association takes the place of the one with the VPC's default ACL, and leaves
    it to that again.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceNetworkAclAssociation.html
    """

    async def create(self, request: Request) -> Made:
        acls = await _acls(request, **{"association.subnet-id": request.properties["SubnetId"]})
        id = await _replace(request, acls[0], request.properties["NetworkAclId"])
        return Made(id, {"AssociationId": id})

    async def delete(self, request: Request) -> None:
        for acl in await _acls(request, **{"association.association-id": request.id}):
            (default,) = await _acls(request, **{"vpc-id": acl["VpcId"], "default": "true"})
            await _replace(request, acl, default["NetworkAclId"])


async def _acls(request: Request, **filters: str) -> list[Body]:
    asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    found: list[Body] = (await request.client("ec2").describe_network_acls(Filters=asked))["NetworkAcls"]
    return found


async def _replace(request: Request, acl: Body, other: str) -> str:
    """Give the subnet another ACL than the one it has; the id of the new association."""
    subnet = request.properties["SubnetId"]
    (id,) = (each["NetworkAclAssociationId"] for each in acl["Associations"] if each["SubnetId"] == subnet)
    answer = await request.client("ec2").replace_network_acl_association(AssociationId=id, NetworkAclId=other)
    return str(answer["NewAssociationId"])
