"""Tags of IAM's entities: three operations for each kind. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import managed, tables
from homeport.engine.services.iam.entities import (
    INSTANCE_PROFILE,
    ROLE,
    SERVER_CERTIFICATE,
    USER,
    Body,
    checked_tags,
    listed,
)
from homeport.engine.services.iam.lookup import managed_policy
from homeport.engine.services.iam.operations.identity_providers import identity_provider
from homeport.engine.services.service import Operation
from homeport.engine.store.database import At
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

_Get = Callable[[At, str], Body]


def _operations(word: str, table: Table, member: str, get: _Get) -> list[Operation]:
    async def tag(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        body = get(at, request[member])
        table.put(at, body | {"Tags": checked_tags(request["Tags"], body.get("Tags") or ())})
        return {}

    async def untag(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        body = get(at, request[member])
        gone = {key.lower() for key in request["TagKeys"]}
        kept = [one for one in body.get("Tags") or () if one["Key"].lower() not in gone]
        table.put(at, body | {"Tags": kept})
        return {}

    async def list_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        body = get(tables.everywhere(ctx), request[member])
        return listed("Tags", body.get("Tags") or [], request, lambda one: one["Key"])

    found: list[Operation] = []
    for name, function in ((f"tag_{word}", tag), (f"untag_{word}", untag), (f"list_{word}_tags", list_tags)):
        function.__name__ = name
        found.append(Operation(function, {}))
    return found


def _policy(at: At, arn: str) -> Body:
    if arn.startswith(managed.PREFIX):
        raise AwsError("InvalidInput", f"Policy {arn} is AWS's and has no tags.")
    return managed_policy(at, arn)


_TAGGED: list[tuple[str, Table, str, _Get]] = [
    ("user", tables.USERS, "UserName", USER.get),
    ("role", tables.ROLES, "RoleName", ROLE.get),
    ("policy", tables.POLICIES, "PolicyArn", _policy),
    ("instance_profile", tables.INSTANCE_PROFILES, "InstanceProfileName", INSTANCE_PROFILE.get),
    ("server_certificate", tables.SERVER_CERTIFICATES, "ServerCertificateName", SERVER_CERTIFICATE.get),
    ("open_id_connect_provider", tables.IDENTITY_PROVIDERS, "OpenIDConnectProviderArn", identity_provider),
]

globals().update({operation.name: operation for tagged in _TAGGED for operation in _operations(*tagged)})
