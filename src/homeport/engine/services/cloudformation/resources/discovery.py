"""Cloud Map's types: AWS::ServiceDiscovery::*."""

from __future__ import annotations

import asyncio
from typing import Any

from homeport.engine.services.cloudformation.resources.calls import Call, send
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags
from homeport.engine.services.cloudformation.resources.provider import Request
from homeport.engine.wire.errors import AwsError

_ID = {"Id": "id"}
_TAGS = Tags(
    Call("tag_resource", {"ResourceARN": "attributes.Arn", "Tags": "added"}, only=True),
    Call("untag_resource", {"ResourceARN": "attributes.Arn", "TagKeys": "removed"}, only=True),
)
_ZONE = "read.Properties.DnsProperties.HostedZoneId"
_POLL_SECONDS = 0.5


class _Namespace(Type):
    """A namespace is made by an operation of its own, which tells the namespace's id when it is done.

    https://docs.aws.amazon.com/cloud-map/latest/api/API_GetOperation.html
    """

    def __init__(self, kind: str, operation: str) -> None:
        super().__init__(
            f"AWS::ServiceDiscovery::{kind}Namespace",
            "servicediscovery",
            create=Call(f"create_{operation}_namespace", {"CreatorRequestId": "token"}),
            id="response.OperationId",
            find=Call("list_namespaces"),
            found_ids="where(response.Namespaces, 'Name', properties.Name)[].Id",
            read=Call("get_namespace", _ID, only=True),
            found="Namespace",
            attributes={"HostedZoneId": f"{_ZONE} && split({_ZONE}, '/')[-1]"},
            parts=(
                Put(
                    Call(
                        f"update_{operation}_namespace",
                        {**_ID, "Namespace": "{Description: properties.Description || ''}"},
                        only=True,
                    ),
                    ("Description",),
                    at_creation=False,
                ),
                _TAGS,
            ),
            delete=Call("delete_namespace", _ID, only=True),
        )

    async def _made(self, request: Request, names: dict[str, Any]) -> str:
        asked = Call("get_operation", {"OperationId": "operation"}, only=True)
        names = {**names, "operation": await super()._made(request, names)}
        while True:
            operation = (await send(request, self._service, asked, names))["Operation"]
            if operation["Status"] == "SUCCESS":
                return str(operation["Targets"]["NAMESPACE"])
            if operation["Status"] == "FAIL":
                raise AwsError("NotStabilized", operation.get("ErrorMessage", "The namespace was not made."))
            await asyncio.sleep(_POLL_SECONDS)


TYPES = (
    _Namespace("Http", "http"),
    _Namespace("PrivateDns", "private_dns"),
    _Namespace("PublicDns", "public_dns"),
    Type(
        "AWS::ServiceDiscovery::Service",
        "servicediscovery",
        named="Name",
        create=Call(
            "create_service",
            {
                "CreatorRequestId": "token",
                "NamespaceId": "properties.NamespaceId || properties.DnsConfig.NamespaceId",
            },
        ),
        id="response.Service.Id",
        find=Call("list_services", only=True),
        found_ids="where(response.Services, 'Name', name)[].Id",
        read=Call("get_service", _ID, only=True),
        found="Service",
        parts=(
            Put(
                Call("update_service", {**_ID, "Service": "properties"}, only=True),
                ("Description", "DnsConfig", "HealthCheckConfig"),
                at_creation=False,
            ),
            _TAGS,
        ),
        delete=Call("delete_service", _ID, only=True),
    ),
)
