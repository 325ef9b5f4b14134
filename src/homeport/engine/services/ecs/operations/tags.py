"""Tags of ECS resources. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.capacity import INTERRUPT_TAG, interrupt
from homeport.engine.services.ecs.names import find_definition
from homeport.engine.services.ecs.tables import CLUSTERS, DEFINITIONS, DEPLOYMENTS, SERVICES, TASKS
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]
Tags = list[dict[str, str]]


@operation
async def list_tags_for_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTagsForResource.html"""
    return {"tags": _tags(_find(ctx, request["resourceArn"])[0])}


@operation
async def tag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TagResource.html"""
    new = {tag["key"]: tag for tag in request["tags"]}
    return _change(
        ctx, request["resourceArn"], lambda tags: [*({tag["key"]: tag for tag in tags} | new).values()]
    )


@operation
async def untag_resource(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UntagResource.html"""
    gone = set(request["tagKeys"])
    return _change(ctx, request["resourceArn"], lambda tags: [tag for tag in tags if tag["key"] not in gone])


def _change(ctx: Context, arn: str, apply: Callable[[Tags], Tags]) -> Body:
    with ctx.store.transaction():
        row, save = _find(ctx, arn)
        holder = _holder(row)
        holder["tags"] = apply(_tags(row))
        if len(holder["tags"]) > 50:
            raise AwsError("InvalidParameterException", "A resource can have at most 50 tags.")
        save(row)
        if "task" in row and INTERRUPT_TAG in {tag["key"] for tag in holder["tags"]}:
            interrupt(ctx, row)
    return {}


def _tags(row: Body) -> Tags:
    return _holder(row).get("tags") or []


def _holder(row: Body) -> Body:
    """The part of a row that has the tags."""
    for member in ("taskSet", "shown", "task"):
        if member in row:
            holder: Body = row[member]
            return holder
    return row


def _find(ctx: Context, arn: str) -> tuple[Body, Callable[[Body], None]]:
    kind, _, rest = arn.split(":", 5)[-1].partition("/") if arn.startswith("arn:") else ("", "", "")
    if kind == "cluster":
        row, table = CLUSTERS.get(ctx, rest), CLUSTERS
    elif kind == "service":
        row, table = SERVICES.get(ctx, *rest.split("/")), SERVICES
    elif kind == "task-set":
        cluster, service, id = [*rest.split("/", 2), "", ""][:3]
        found = (
            each for each in DEPLOYMENTS.list(ctx, cluster, service) if each["id"] == id and "taskSet" in each
        )
        row, table = next(found, None), DEPLOYMENTS
    elif kind == "task":
        row, table = TASKS.get(ctx, *rest.split("/")), TASKS
    elif kind == "task-definition":
        row, table = find_definition(ctx, arn, active=False), DEFINITIONS
    else:
        raise AwsError("InvalidParameterException", f"Tags are not supported for the resource {arn!r}.")
    if row is None:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found.")
    return row, lambda changed: table.put(ctx, changed)
