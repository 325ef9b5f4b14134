"""Policies on users, groups and roles: attached managed ones and inline ones. The same operations three times.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.iam import tables
from homeport.engine.services.iam.entities import KINDS, Kind, checked_document, encoded, listed
from homeport.engine.services.iam.lookup import managed_policy
from homeport.engine.services.service import Operation
from homeport.engine.store.database import At
from homeport.engine.wire.errors import AwsError

MAX_ATTACHED = 10


def _operations(entity: str, kind: Kind) -> list[Operation]:
    """The seven operations of a kind of entity."""

    async def attach(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        name = kind.get(at, request[kind.name])[kind.name]
        policy = managed_policy(at, request["PolicyArn"])
        attached = tables.ATTACHMENTS.list(at, entity, name)
        if len(attached) >= MAX_ATTACHED and policy["Arn"] not in [one["PolicyArn"] for one in attached]:
            raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.noun}: {MAX_ATTACHED}")
        body = {"EntityType": entity, "EntityName": name, "PolicyArn": policy["Arn"]}
        tables.ATTACHMENTS.put(at, body)
        return {}

    async def detach(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        name = kind.get(at, request[kind.name])[kind.name]
        if not tables.ATTACHMENTS.delete(at, entity, name, request["PolicyArn"]):
            raise AwsError("NoSuchEntity", f"Policy {request['PolicyArn']} was not found.")
        return {}

    async def list_attached(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        kind.get(at, request[kind.name])
        policies = attached_policies(at, entity, request[kind.name])
        return listed("AttachedPolicies", policies, request, lambda body: body["PolicyArn"])

    async def put(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        body = {
            "EntityType": entity,
            "EntityName": kind.get(at, request[kind.name])[kind.name],
            "PolicyName": request["PolicyName"],
            "PolicyDocument": checked_document(request["PolicyDocument"]),
        }
        tables.INLINE.put(at, body)
        return {}

    async def get(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        kind.get(at, request[kind.name])
        body = tables.INLINE.get(at, entity, request[kind.name], request["PolicyName"])
        if body is None:
            raise _no_policy(kind, request["PolicyName"])
        return {kind.name: request[kind.name], **encoded(body)}

    async def delete(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        kind.get(at, request[kind.name])
        if not tables.INLINE.delete(at, entity, request[kind.name], request["PolicyName"]):
            raise _no_policy(kind, request["PolicyName"])
        return {}

    async def list_inline(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        at = tables.everywhere(ctx)
        kind.get(at, request[kind.name])
        bodies = tables.INLINE.list(at, entity, request[kind.name])
        return listed(
            "PolicyNames", bodies, request, lambda body: body["PolicyName"], lambda body: body["PolicyName"]
        )

    named = {
        f"attach_{entity}_policy": attach,
        f"detach_{entity}_policy": detach,
        f"list_attached_{entity}_policies": list_attached,
        f"put_{entity}_policy": put,
        f"get_{entity}_policy": get,
        f"delete_{entity}_policy": delete,
        f"list_{entity}_policies": list_inline,
    }
    found: list[Operation] = []
    for name, function in named.items():
        function.__name__ = name
        found.append(Operation(function, {}))
    return found


def attached_policies(at: At, entity: str, name: str) -> list[dict[str, Any]]:
    """The managed policies of an entity, as `{PolicyName, PolicyArn}`."""
    return [
        {"PolicyName": body["PolicyArn"].rpartition("/")[2], "PolicyArn": body["PolicyArn"]}
        for body in tables.ATTACHMENTS.list(at, entity, name)
    ]


def _no_policy(kind: Kind, name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The {kind.noun.lower()} policy with name {name} cannot be found.")


globals().update(
    {operation.name: operation for entity, kind in KINDS.items() for operation in _operations(entity, kind)}
)
