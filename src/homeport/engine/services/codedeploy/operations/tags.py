"""Tags of applications and deployment groups.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-tags.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codedeploy.tables import APPLICATIONS, GROUPS, application, group
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]


@operation
async def tag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TagResource.html"""
    with ctx.store.transaction():
        table, row = _resource(ctx, request["ResourceArn"])
        tags = {tag["Key"]: tag for tag in [*row.get("tags", []), *request["Tags"]]}
        table.put(ctx, row | {"tags": list(tags.values())})
    return {}


@operation
async def untag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UntagResource.html"""
    with ctx.store.transaction():
        table, row = _resource(ctx, request["ResourceArn"])
        kept = [tag for tag in row.get("tags", []) if tag["Key"] not in request["TagKeys"]]
        table.put(ctx, row | {"tags": kept})
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListTagsForResource.html"""
    return {"Tags": _resource(ctx, request["ResourceArn"])[1].get("tags", [])}


def _resource(ctx: Context, arn: str) -> tuple[Table, Body]:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "codedeploy":
        raise AwsError("InvalidArnException", f"The specified ARN is not in a valid format: {arn}")
    if parts[5] == "application":
        return APPLICATIONS, application(ctx, parts[6])
    if parts[5] == "deploymentgroup":
        application_name, _, name = parts[6].partition("/")
        return GROUPS, group(ctx, application_name, name)
    raise AwsError("ArnNotSupportedException", f"The specified ARN is not supported: {arn}")
