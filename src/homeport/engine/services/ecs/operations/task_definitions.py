"""Task definitions: families and their revisions.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definitions.html"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.context import Context
from homeport.engine.services.ecs.definitions import normalize
from homeport.engine.services.ecs.names import check_name, find_definition
from homeport.engine.services.ecs.tables import DEFINITIONS
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

Body = dict[str, Any]

_ROLES = {"taskRoleArn": "ecs-tasks.amazonaws.com", "executionRoleArn": "ecs-tasks.amazonaws.com"}


@operation(pass_role=_ROLES)
async def register_task_definition(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"""
    family = request["family"]
    check_name(family, "The family")
    definition = normalize(request)
    with ctx.store.transaction():
        newest = DEFINITIONS.list(ctx, family, last_first=True, limit=1)
        revision = newest[0]["revision"] + 1 if newest else 1
        row = {"family": family, "revision": revision, "status": "ACTIVE", "tags": request.get("tags", [])}
        row["definition"] = {
            **definition,
            "taskDefinitionArn": ctx.arn(f"task-definition/{family}:{revision}"),
            "family": family,
            "revision": revision,
            "registeredAt": ctx.now(),
            "registeredBy": ctx.principal.arn,
        }
        DEFINITIONS.put(ctx, row)
    return {"taskDefinition": described(row), "tags": row["tags"]}


@operation
async def describe_task_definition(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html"""
    row = find_definition(ctx, request["taskDefinition"], active=False)
    answer = {"taskDefinition": described(row)}
    return {**answer, "tags": row["tags"]} if "TAGS" in request.get("include", []) else answer


@operation
async def deregister_task_definition(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html"""
    if ":" not in request["taskDefinition"].rpartition("/")[2]:
        raise AwsError("InvalidParameterException", "Revision is missing.")
    row = find_definition(ctx, request["taskDefinition"])
    row["status"] = "INACTIVE"
    row["definition"]["deregisteredAt"] = ctx.now()
    DEFINITIONS.put(ctx, row)
    return {"taskDefinition": described(row)}


@operation
async def delete_task_definitions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html"""
    deleted, failures = [], []
    for named in request["taskDefinitions"]:
        try:
            row = find_definition(ctx, named, active=False)
        except AwsError as error:
            failures.append({"arn": named, "reason": error.message})
            continue
        if row["status"] == "ACTIVE":
            detail = "The specified task definition is still in ACTIVE status. Please deregister the target."
            failures.append({"arn": row["definition"]["taskDefinitionArn"], "reason": detail})
            continue
        row["status"] = "DELETE_IN_PROGRESS"
        row["definition"]["deleteRequestedAt"] = ctx.now()
        DEFINITIONS.put(ctx, row)
        deleted.append(described(row))
    return {"taskDefinitions": deleted, "failures": failures}


@operation
async def list_task_definitions(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html"""
    prefix = (request["familyPrefix"],) if request.get("familyPrefix") else ()
    rows = DEFINITIONS.list(ctx, *prefix, status=request.get("status", "ACTIVE"))
    sign = -1 if request.get("sort") == "DESC" else 1
    keys = sorted((row["family"], sign * row["revision"]) for row in rows)
    chunk, token = page(
        keys, request.get("maxResults", 100), request.get("nextToken"), tuple, "InvalidParameterException"
    )
    arns = [ctx.arn(f"task-definition/{family}:{abs(revision)}") for family, revision in chunk]
    return {"taskDefinitionArns": arns, "nextToken": token}


@operation
async def list_task_definition_families(ctx: Context, request: Body) -> Body:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitionFamilies.html"""
    wanted = request.get("status", "ACTIVE")
    statuses: dict[str, set[str]] = {}
    for row in DEFINITIONS.list(ctx):
        statuses.setdefault(row["family"], set()).add("ACTIVE" if row["status"] == "ACTIVE" else "INACTIVE")
    families = sorted(
        family
        for family, found in statuses.items()
        if family.startswith(request.get("familyPrefix", ""))
        and (wanted == "ALL" or ("ACTIVE" in found) == (wanted == "ACTIVE"))
    )
    chunk, token = page(
        families, request.get("maxResults", 100), request.get("nextToken"), str, "InvalidParameterException"
    )
    return {"families": chunk, "nextToken": token}


def described(row: Body) -> Body:
    """The task definition as AWS shows it.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html"""
    return {**row["definition"], "status": row["status"]}
