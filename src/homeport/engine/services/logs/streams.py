"""Log streams.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
"""

from __future__ import annotations

from sqlite3 import Row
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs import files
from homeport.engine.services.logs.groups import find_group, millis, name_of
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_IN_GROUP = "account = ? AND region = ? AND log_group = ?"


def find_stream(ctx: Context, group: str, name: str) -> Row:
    """The stream of this name. Raises ResourceNotFoundException."""
    find_group(ctx, group)
    sql = f"SELECT * FROM logs_streams WHERE {_IN_GROUP} AND name = ?"
    rows = ctx.store.execute(sql, *ctx.scope, name_of(group), name)
    if not rows:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return rows[0]


def list_streams(ctx: Context, group: str, prefix: str = "") -> list[Row]:
    """A group's streams by name."""
    rows = ctx.store.execute(
        f"SELECT * FROM logs_streams WHERE {_IN_GROUP} AND name >= ? ORDER BY name",
        *ctx.scope,
        group,
        prefix,
    )
    return [row for row in rows if row["name"].startswith(prefix)]


@operation
async def create_log_stream(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html"""
    group = find_group(ctx, request["logGroupName"])["logGroupName"]
    added = ctx.store.changes(
        "INSERT OR IGNORE INTO logs_streams (account, region, log_group, name, created) VALUES (?, ?, ?, ?, ?)",
        *ctx.scope,
        group,
        request["logStreamName"],
        millis(ctx),
    )
    if not added:
        raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
    return {}


@operation
async def delete_log_stream(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html"""
    with ctx.store.transaction():
        stream = find_stream(ctx, request["logGroupName"], request["logStreamName"])
        files.forget(ctx, stream["id"])
    return {}


@operation
async def describe_log_streams(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html"""
    by_time = request.get("orderBy") == "LastEventTime"
    prefix = request.get("logStreamNamePrefix", "")
    if by_time and prefix:
        raise AwsError(
            "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
        )
    identifier = request.get("logGroupIdentifier") or request.get("logGroupName")
    if identifier is None:
        raise AwsError("InvalidParameterException", "Either logGroupName or logGroupIdentifier is needed.")
    group = find_group(ctx, identifier)
    rows = list_streams(ctx, group["logGroupName"], prefix)
    ordered = sorted(rows, key=lambda row: (row["last"] or 0, row["name"]) if by_time else (0, row["name"]))
    if request.get("descending"):
        ordered.reverse()
    numbered = list(enumerate(ordered))
    found, token = page(
        numbered,
        request.get("limit", 50),
        request.get("nextToken"),
        lambda item: item[0],
        "InvalidParameterException",
    )
    return {"logStreams": [_shown(row, group["logGroupArn"]) for _, row in found], "nextToken": token}


def _shown(row: Row, group_arn: str) -> dict[str, Any]:
    return {
        "logStreamName": row["name"],
        "creationTime": row["created"],
        "firstEventTimestamp": row["first"],
        "lastEventTimestamp": row["last"],
        "lastIngestionTime": row["ingested"],
        "uploadSequenceToken": f"{row['events']:056d}",
        "arn": f"{group_arn}:log-stream:{row['name']}",
        "storedBytes": 0,
    }
