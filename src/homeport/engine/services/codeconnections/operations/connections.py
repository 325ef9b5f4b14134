"""Connections and hosts.

A connection is AVAILABLE at once: here is no provider's page on which it would be confirmed. To rehearse the wait for
it, give it the tag `homeport:consent` with the value `pending`: it is PENDING until the tag is removed. A host's
endpoint may be any URL under which git finds repositories, `file:///srv/git` too.
https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codeconnections import tables
from homeport.engine.services.codeconnections.tables import CONNECTIONS, HOSTS, WATCHES, Row
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

HOSTED = ("GitHubEnterpriseServer", "GitLabSelfManaged")


@operation
async def create_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a connection to a provider, or to a host."""
    if CONNECTIONS.list(ctx, ConnectionName=request["ConnectionName"]):
        raise AwsError(
            "InvalidInputException", f"A connection named {request['ConnectionName']} already exists"
        )
    host_arn, kind = request.get("HostArn"), request.get("ProviderType")
    if host_arn:
        kind = tables.host(ctx, host_arn)["ProviderType"]
    elif kind in HOSTED:
        raise AwsError("InvalidInputException", f"HostArn is required for the provider type {kind}")
    elif kind is None:
        raise AwsError("InvalidInputException", "Either ProviderType or HostArn must be given")
    id = str(uuid.uuid4())
    row = {
        "id": id,
        "ConnectionName": request["ConnectionName"],
        "ConnectionArn": ctx.arn(f"connection/{id}"),
        "ProviderType": kind,
        "OwnerAccountId": ctx.account,
        "ConnectionStatus": "AVAILABLE",
        "HostArn": host_arn,
        "Tags": request.get("Tags", []),
    }
    CONNECTIONS.put(ctx, row)
    return {"ConnectionArn": row["ConnectionArn"], "Tags": row["Tags"]}


@operation
async def get_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One connection."""
    return {"Connection": _shown(tables.connection(ctx, request["ConnectionArn"]))}


@operation
async def list_connections(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All connections, or those of a provider or a host."""
    kind, host_arn = request.get("ProviderTypeFilter"), request.get("HostArnFilter")
    rows = [
        row
        for row in CONNECTIONS.list(ctx)
        if kind in (None, row["ProviderType"]) and host_arn in (None, row["HostArn"])
    ]
    rows, token = page(
        rows,
        request.get("MaxResults") or 50,
        request.get("NextToken"),
        lambda row: row["id"],
        "InvalidInputException",
    )
    return {"Connections": [_shown(row) for row in rows], "NextToken": token}


@operation
async def delete_connection(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a connection; pipelines that use it fail in their source action."""
    row = tables.connection(ctx, request["ConnectionArn"])
    with ctx.store.transaction():
        CONNECTIONS.delete(ctx, row["id"])
        for watch in WATCHES.list(ctx, row["id"]):
            WATCHES.delete(ctx, row["id"], watch["repository"])
    return {}


def _shown(row: Row) -> Row:
    shown = {key: value for key, value in row.items() if key not in ("id", "Tags") and value is not None}
    return shown | ({"ConnectionStatus": "PENDING"} if tables.is_pending(row) else {})


@operation
async def create_host(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a host: where an installed provider, or plain git, answers."""
    id = uuid.uuid4().hex[:8]
    row = {
        "id": f"{request['Name']}-{id}",
        "Name": request["Name"],
        "HostArn": ctx.arn(f"host/{request['Name']}-{id}"),
        "ProviderType": request["ProviderType"],
        "ProviderEndpoint": request["ProviderEndpoint"],
        "VpcConfiguration": request.get("VpcConfiguration"),
        "Status": "AVAILABLE",
        "Tags": request.get("Tags", []),
    }
    HOSTS.put(ctx, row)
    return {"HostArn": row["HostArn"], "Tags": row["Tags"]}


@operation
async def get_host(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """One host."""
    row = tables.host(ctx, request["HostArn"])
    members = ("Name", "Status", "ProviderType", "ProviderEndpoint", "VpcConfiguration")
    return {key: row[key] for key in members if row[key] is not None}


@operation
async def list_hosts(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All hosts."""
    rows, token = page(
        HOSTS.list(ctx),
        request.get("MaxResults") or 50,
        request.get("NextToken"),
        lambda row: row["id"],
        "InvalidInputException",
    )
    return {"Hosts": [_shown(row) for row in rows], "NextToken": token}


@operation
async def update_host(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the endpoint of a host."""
    row = tables.host(ctx, request["HostArn"])
    changed = {key: request[key] for key in ("ProviderEndpoint", "VpcConfiguration") if key in request}
    HOSTS.put(ctx, row | changed)
    return {}


@operation
async def delete_host(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a host that no connection uses."""
    row = tables.host(ctx, request["HostArn"])
    if any(one["HostArn"] == row["HostArn"] for one in CONNECTIONS.list(ctx)):
        raise AwsError("ResourceUnavailableException", f"Host {row['HostArn']} is used by a connection")
    HOSTS.delete(ctx, row["id"])
    return {}


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add or replace tags."""
    table, row = _tagged(ctx, request["ResourceArn"])
    new = {tag["Key"] for tag in request["Tags"]}
    kept = [tag for tag in row["Tags"] if tag["Key"] not in new]
    table.put(ctx, row | {"Tags": [*kept, *request["Tags"]]})
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key."""
    table, row = _tagged(ctx, request["ResourceArn"])
    kept = [tag for tag in row["Tags"] if tag["Key"] not in request["TagKeys"]]
    table.put(ctx, row | {"Tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All tags."""
    return {"Tags": _tagged(ctx, request["ResourceArn"])[1]["Tags"]}


def _tagged(ctx: Context, arn: str) -> tuple[Table, Row]:
    if ":host/" in arn:
        return HOSTS, tables.host(ctx, arn)
    return CONNECTIONS, tables.connection(ctx, arn)
