"""EC2's security groups: AWS::EC2::SecurityGroup, AWS::EC2::SecurityGroupIngress, AWS::EC2::SecurityGroupEgress."""

from __future__ import annotations

import json
from typing import Any

from homeport.engine.services.cloudformation.resources.provider import (
    HalfMade,
    Made,
    NotUpdatable,
    Request,
    ResourceProvider,
    is_absent,
    is_present,
)
from homeport.engine.services.context import Client
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
_EVERYTHING = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


class SecurityGroup(ResourceProvider):
    """AWS::EC2::SecurityGroup, with the rules that it states itself."""

    async def create(self, request: Request) -> Made:
        properties = request.properties
        client = request.client("ec2")
        name = properties.get("GroupName") or request.name(limit=255)
        filters = {"group-name": name, "vpc-id": properties.get("VpcId")}
        found = []
        if request.resumed:
            listed = [{"Name": key, "Values": [value]} for key, value in filters.items() if value]
            found = (await client.describe_security_groups(Filters=listed))["SecurityGroups"]
        if found:
            id: str = found[0]["GroupId"]
        else:
            made = await client.create_security_group(
                GroupName=name,
                Description=properties["GroupDescription"],
                VpcId=properties.get("VpcId"),
                TagSpecifications=[{"ResourceType": "security-group", "Tags": _tags(request)}],
            )
            id = made["GroupId"]
        try:
            await _change(client, id, properties, {})
        except AwsError as error:
            raise HalfMade(id, error) from None
        return Made(id, _attributes(request, id))

    async def update(self, request: Request) -> Made:
        client = request.client("ec2")
        await _change(client, request.id, request.properties, request.previous)
        old = {tag["Key"] for tag in request.previous.get("Tags", ())}
        await client.create_tags(Resources=[request.id], Tags=_tags(request))
        gone = old - {tag["Key"] for tag in request.properties.get("Tags", ())}
        if gone:
            await client.delete_tags(Resources=[request.id], Tags=[{"Key": key} for key in sorted(gone)])
        return Made(request.id, request.attributes)

    async def delete(self, request: Request) -> None:
        try:
            await request.client("ec2").delete_security_group(GroupId=request.id)
        except AwsError as error:
            if not is_absent(error):
                raise


class Rule(ResourceProvider):
    """AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress: one rule of a group."""

    def __init__(self, type: str, direction: str) -> None:
        super().__init__(type)
        self._direction = direction

    async def create(self, request: Request) -> Made:
        group = request.properties.get("GroupId") or request.properties.get("GroupName", "")
        await _authorize(request.client("ec2"), self._direction, group, [_permission(request.properties)])
        return Made(request.name(), {"Id": request.name()})

    async def update(self, request: Request) -> Made:
        raise NotUpdatable(f"A change of {self.type} replaces it.")

    def replaces(self, before: Body, after: Body) -> bool:
        return before != after

    async def delete(self, request: Request) -> None:
        group = request.properties.get("GroupId") or request.properties.get("GroupName", "")
        await _revoke(request.client("ec2"), self._direction, group, [_permission(request.properties)])


async def _change(client: Client, id: str, after: Body, before: Body) -> None:
    for direction, property in (("ingress", "SecurityGroupIngress"), ("egress", "SecurityGroupEgress")):
        new, old = _rules(after, property), _rules(before, property)
        added = [rule for key, rule in new.items() if key not in old]
        if direction == "egress" and not old and new and json.dumps(_EVERYTHING) not in new:
            await _revoke(client, direction, id, [_permission(_EVERYTHING)])
        if added:
            await _authorize(client, direction, id, [_permission(rule) for rule in added])
        dropped = [_permission(rule) for key, rule in old.items() if key not in new]
        if dropped:
            await _revoke(client, direction, id, dropped)


def _rules(properties: Body, property: str) -> dict[str, Body]:
    return {json.dumps(rule, sort_keys=True): rule for rule in properties.get(property, ())}


async def _authorize(client: Client, direction: str, id: str, permissions: list[Body]) -> None:
    try:
        call = getattr(client, f"authorize_security_group_{direction}")
        await call(GroupId=id, IpPermissions=permissions)
    except AwsError as error:
        if not is_present(error):
            raise


async def _revoke(client: Client, direction: str, id: str, permissions: list[Body]) -> None:
    try:
        await getattr(client, f"revoke_security_group_{direction}")(GroupId=id, IpPermissions=permissions)
    except AwsError as error:
        if not is_absent(error):
            raise


def _permission(rule: Body) -> Body:
    """A rule as an IpPermission."""
    permission: Body = {"IpProtocol": str(rule["IpProtocol"])}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            permission[name] = int(rule[name])
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    prefixes = rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId")
    if prefixes:
        permission["PrefixListIds"] = [{"PrefixListId": prefixes, **described}]
    return permission


def _attributes(request: Request, id: str) -> Body:
    return {"GroupId": id, "Id": id, "VpcId": request.properties.get("VpcId", "")}


def _tags(request: Request) -> list[Body]:
    system = {
        "stack-name": request.stack_name,
        "stack-id": request.stack_id,
        "logical-id": request.logical_id,
    }
    own = [{"Key": f"aws:cloudformation:{key}", "Value": value} for key, value in system.items()]
    return [*request.properties.get("Tags", ()), *own]


SECURITY_GROUP_TYPES = (
    SecurityGroup("AWS::EC2::SecurityGroup"),
    Rule("AWS::EC2::SecurityGroupIngress", "ingress"),
    Rule("AWS::EC2::SecurityGroupEgress", "egress"),
)
