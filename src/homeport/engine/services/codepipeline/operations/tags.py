"""Tags of pipelines and webhooks.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codepipeline.tables import PIPELINES, WEBHOOKS, Row
from homeport.engine.services.context import Context
from homeport.engine.services.service import operation
from homeport.engine.store.table import Table
from homeport.engine.wire.errors import AwsError


@operation
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add or replace tags."""
    table, row = _resource(ctx, request["resourceArn"])
    row["tags"] = row.get("tags", {}) | {tag["key"]: tag["value"] for tag in request["tags"]}
    if len(row["tags"]) > 50:
        raise AwsError("TooManyTagsException", "A resource can have at most 50 tags")
    table.put(ctx, row)
    return {}


@operation
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key."""
    table, row = _resource(ctx, request["resourceArn"])
    row["tags"] = {key: value for key, value in row.get("tags", {}).items() if key not in request["tagKeys"]}
    table.put(ctx, row)
    return {}


@operation
async def list_tags_for_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All tags of a resource."""
    _, row = _resource(ctx, request["resourceArn"])
    return {"tags": [{"key": key, "value": value} for key, value in row.get("tags", {}).items()]}


def _resource(ctx: Context, arn: str) -> tuple[Table, Row]:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "codepipeline":
        raise AwsError("InvalidArnException", f"'{arn}' is not the ARN of a pipeline or webhook")
    name = parts[5]
    table = WEBHOOKS if name.startswith("webhook:") else PIPELINES
    row = table.get(ctx, name.removeprefix("webhook:"))
    if row is None:
        raise AwsError("ResourceNotFoundException", f"The resource '{arn}' does not exist")
    return table, row
