"""Route 53's types: AWS::Route53::HostedZone, RecordSet and RecordSetGroup."""

from __future__ import annotations

from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, fit
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Each, Put
from homeport.engine.services.cloudformation.resources.provider import (
    Made,
    Request,
    ResourceProvider,
    is_absent,
)
from homeport.engine.wire import model
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_ZONE = {"Id": "id"}
_TAGGED = {"ResourceType": "'hostedzone'", "ResourceId": "id"}
_IN_ZONE = {"HostedZoneId": "id", "VPC": "item"}
_ZONES = ("HostedZoneId", "HostedZoneName", "Comment")
"""What a record's properties say of its zone and of the change, not of the record."""


class RecordSet(ResourceProvider):
    """A record of a hosted zone. Ref is its name.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
    """

    async def create(self, request: Request) -> Made:
        action = "UPSERT" if request.resumed else "CREATE"
        await _change(
            request, request.properties, [(action, each) for each in self._records(request.properties)]
        )
        return Made(self._id(request), {})

    async def update(self, request: Request) -> Made:
        after = self._records(request.properties)
        kept = [_identity(each) for each in after]
        gone = [each for each in self._records(request.previous) if _identity(each) not in kept]
        changes = [("DELETE", each) for each in gone] + [("UPSERT", each) for each in after]
        await _change(request, request.properties, changes)
        return Made(request.id, {})

    async def delete(self, request: Request) -> None:
        try:
            changes = [("DELETE", each) for each in self._records(request.properties)]
            await _change(request, request.properties, changes)
        except AwsError as error:
            if not is_absent(error) and "not found" not in error.message:
                raise

    def _id(self, request: Request) -> str:
        return str(request.properties["Name"])

    def _records(self, properties: Body) -> list[Body]:
        return [properties]


class RecordSetGroup(RecordSet):
    """Records of one hosted zone that are made together."""

    def _id(self, request: Request) -> str:
        return request.name()

    def _records(self, properties: Body) -> list[Body]:
        records: list[Body] = properties.get("RecordSets") or []
        return records


def _identity(record: Body) -> tuple[Any, ...]:
    return record["Name"], record["Type"], record.get("SetIdentifier")


async def _change(request: Request, properties: Body, changes: list[tuple[str, Body]]) -> None:
    """Make changes of one zone together: all of them, or none."""
    shape = model.operations("route53")["change_resource_record_sets"].input_shape
    assert shape is not None
    batch = [{"Action": action, "ResourceRecordSet": _as_route53_says(record)} for action, record in changes]
    await request.client("route53").change_resource_record_sets(
        HostedZoneId=await _zone(request, properties, changes),
        ChangeBatch=fit(
            {"Comment": properties.get("Comment"), "Changes": batch}, shape.members["ChangeBatch"]
        ),
    )


def _as_route53_says(record: Body) -> Body:
    shown = {name: value for name, value in record.items() if name not in _ZONES}
    if "ResourceRecords" in shown:
        shown["ResourceRecords"] = [{"Value": value} for value in shown["ResourceRecords"]]
    if "AliasTarget" in shown:
        shown["AliasTarget"] = {"EvaluateTargetHealth": False, **shown["AliasTarget"]}
    return shown


async def _zone(request: Request, properties: Body, changes: list[tuple[str, Body]]) -> str:
    """The id of the hosted zone, which the records or their group name by id or by name."""
    for named in (properties, *(record for _, record in changes)):
        if named.get("HostedZoneId"):
            return str(named["HostedZoneId"])
        if name := named.get("HostedZoneName"):
            found = await request.client("route53").list_hosted_zones_by_name(DNSName=name)
            zones = [
                each["Id"] for each in found["HostedZones"] if each["Name"].rstrip(".") == name.rstrip(".")
            ]
            if not zones:
                raise AwsError("NoSuchHostedZone", f"No hosted zones named {name} found.")
            return str(zones[0].rpartition("/")[2])
    raise AwsError("ValidationError", "HostedZoneId or HostedZoneName must be given.")


TYPES = (
    Type(
        "AWS::Route53::HostedZone",
        "route53",
        create=Call(
            "create_hosted_zone",
            {
                "CallerReference": "token",
                "VPC": "properties.VPCs[0]",
                "HostedZoneConfig": "{Comment: properties.HostedZoneConfig.Comment || '', "
                "PrivateZone: properties.VPCs && `true` || `false`}",
            },
        ),
        id="split(response.HostedZone.Id, '/')[2]",
        find=Call("list_hosted_zones", only=True),
        found_ids="where(response.HostedZones, 'CallerReference', token)[].split(Id, '/')[2]",
        read=Call("get_hosted_zone", _ZONE, only=True),
        attributes={"Id": "id", "NameServers": "read.DelegationSet.NameServers"},
        parts=(
            Put(
                Call(
                    "update_hosted_zone_comment",
                    {**_ZONE, "Comment": "properties.HostedZoneConfig.Comment || ''"},
                    only=True,
                ),
                ("HostedZoneConfig",),
                at_creation=False,
            ),
            Each(
                "VPCs",
                Call("associate_vpc_with_hosted_zone", _IN_ZONE, only=True),
                Call("disassociate_vpc_from_hosted_zone", _IN_ZONE, only=True),
                key="VPCId",
                at_creation=False,
            ),
            Put(
                Call(
                    "change_tags_for_resource", {**_TAGGED, "AddTags": "properties.HostedZoneTags"}, only=True
                ),
                ("HostedZoneTags",),
            ),
        ),
        delete=Call("delete_hosted_zone", _ZONE, only=True),
    ),
    RecordSet("AWS::Route53::RecordSet"),
    RecordSetGroup("AWS::Route53::RecordSetGroup"),
)
