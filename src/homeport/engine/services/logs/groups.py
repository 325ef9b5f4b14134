"""Log groups.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.logs import files
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.store.table import Body, Table
from homeport.engine.wire.errors import AwsError

GROUPS = Table("logs_groups", key=("logGroupName",))
METRIC_FILTERS = Table("logs_metric_filters", key=("logGroupName", "filterName"))
SUBSCRIPTION_FILTERS = Table("logs_subscription_filters", key=("logGroupName", "filterName"))

RETENTIONS: tuple[int, ...] = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
RETENTIONS += (1096, 1827, 2192, 2557, 2922, 3288, 3653)
RETENTION_LOOP = "logs.retention"


def find_group(ctx: Context, name: str) -> Body:
    """The log group of this name or ARN. Raises ResourceNotFoundException."""
    group = GROUPS.get(ctx, name_of(name))
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def name_of(identifier: str) -> str:
    """The name in a log group's name or ARN."""
    if identifier.startswith("arn:"):
        return identifier.split(":log-group:", 1)[-1].removesuffix(":*")
    return identifier


def millis(ctx: Context) -> int:
    """Now, as CloudWatch Logs counts time."""
    return int(ctx.now() * 1000)


@operation
async def create_log_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"""
    name = request["logGroupName"]
    if request.get("kmsKeyId"):
        raise AwsError(
            "InvalidParameterException",
            "homeport does not encrypt log groups with a key: leave kmsKeyId out.",
        )
    with ctx.store.transaction():
        if GROUPS.get(ctx, name):
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        arn = ctx.arn(f"log-group:{name}")
        body = {
            "logGroupName": name,
            "creationTime": millis(ctx),
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "logGroupClass": request.get("logGroupClass", "STANDARD"),
            "tags": request.get("tags") or {},
        }
        GROUPS.put(ctx, body)
    return {}


@operation
async def delete_log_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html"""
    with ctx.store.transaction():
        name = find_group(ctx, request["logGroupName"])["logGroupName"]
        for row in ctx.store.execute(
            "SELECT id FROM logs_streams WHERE account = ? AND region = ? AND log_group = ?", *ctx.scope, name
        ):
            files.forget(ctx, row["id"])
        for filters in (METRIC_FILTERS, SUBSCRIPTION_FILTERS):
            for each in filters.list(ctx, name):
                filters.delete(ctx, name, each["filterName"])
        GROUPS.delete(ctx, name)
    return {}


@operation
async def describe_log_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html"""
    prefix, part = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix and part:
        raise AwsError(
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        )
    names = {name_of(each) for each in request.get("logGroupIdentifiers") or []}
    groups = [
        group
        for group in GROUPS.list(ctx)
        if group["logGroupName"].startswith(prefix or "")
        and (part or "").lower() in group["logGroupName"].lower()
        and (not names or group["logGroupName"] in names)
        and request.get("logGroupClass") in (None, group["logGroupClass"])
    ]
    found, token = page(
        groups,
        request.get("limit", 50),
        request.get("nextToken"),
        lambda group: group["logGroupName"],
        "InvalidParameterException",
    )
    return {"logGroups": [_shown(ctx, group) for group in found], "nextToken": token}


def _shown(ctx: Context, group: Body) -> Body:
    name = group["logGroupName"]
    rows = ctx.store.execute(
        "SELECT coalesce(sum(bytes), 0) AS bytes FROM logs_streams "
        "WHERE account = ? AND region = ? AND log_group = ?",
        *ctx.scope,
        name,
    )
    count = len(METRIC_FILTERS.list(ctx, name))
    return {**group, "storedBytes": rows[0]["bytes"], "metricFilterCount": count}


@operation
async def list_log_groups(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroups.html"""
    pattern = (request.get("logGroupNamePattern") or "").lower()
    groups = [group for group in GROUPS.list(ctx) if pattern in group["logGroupName"].lower()]
    found, token = page(
        groups,
        request.get("limit", 50),
        request.get("nextToken"),
        lambda group: group["logGroupName"],
        "InvalidParameterException",
    )
    names = ("logGroupName", "logGroupArn", "logGroupClass")
    return {"logGroups": [{name: group[name] for name in names} for group in found], "nextToken": token}


@operation
async def put_retention_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
    days = request["retentionInDays"]
    if days not in RETENTIONS:
        allowed = ", ".join(map(str, RETENTIONS))
        raise AwsError(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member "
            f"must satisfy enum value set: [{allowed}]",
        )
    _change(ctx, request["logGroupName"], retentionInDays=days)
    ctx.wake(RETENTION_LOOP, request["logGroupName"])
    return {}


@operation
async def delete_retention_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html"""
    _change(ctx, request["logGroupName"], retentionInDays=None)
    return {}


def _change(ctx: Context, name: str, **members: Any) -> None:
    with ctx.store.transaction():
        group = {**find_group(ctx, name), **members}
        GROUPS.put(ctx, {key: value for key, value in group.items() if value is not None})


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html"""
    _tag(ctx, request["resourceArn"], request["tags"])
    return {}


@operation
async def tag_log_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagLogGroup.html"""
    _tag(ctx, request["logGroupName"], request["tags"])
    return {}


def _tag(ctx: Context, identifier: str, tags: dict[str, str]) -> None:
    _change(ctx, identifier, tags={**find_group(ctx, identifier)["tags"], **tags})


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html"""
    _untag(ctx, request["resourceArn"], request["tagKeys"])
    return {}


@operation
async def untag_log_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagLogGroup.html"""
    _untag(ctx, request["logGroupName"], request["tags"])
    return {}


def _untag(ctx: Context, identifier: str, keys: list[str]) -> None:
    tags = find_group(ctx, identifier)["tags"]
    _change(ctx, identifier, tags={key: value for key, value in tags.items() if key not in keys})


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html"""
    return {"tags": find_group(ctx, request["resourceArn"])["tags"]}


@operation
async def list_tags_log_group(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsLogGroup.html"""
    return {"tags": find_group(ctx, request["logGroupName"])["tags"]}
