"""Builds: start, stop, retry, read, list, delete.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.starting import new_build, repeated
from homeport.engine.services.codebuild.tables import BUILDS, IN_PROGRESS, Row, shown
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100


@operation(pass_role={"serviceRoleOverride": "codebuild.amazonaws.com"})
async def start_build(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a build."""
    if (same := repeated(ctx, request)) is not None:
        return {"build": shown(same)}
    return {"build": shown(start(ctx, request, _initiator(ctx)))}


def start(ctx: Context, request: dict[str, Any], initiator: str, **members: Any) -> Row:
    """Accept a build. Raises ResourceNotFoundException, InvalidInputException, AccountLimitExceededException."""
    project = tables.project(ctx, request["projectName"])
    limit = project.get("concurrentBuildLimit")
    running = BUILDS.list(ctx, projectName=project["name"], buildStatus=IN_PROGRESS)
    if limit is not None and len(running) >= limit:
        raise AwsError(
            "AccountLimitExceededException",
            f"Cannot have more than {limit} active builds for the project {project['name']}",
        )
    with ctx.store.transaction():
        row = new_build(ctx, project, request, initiator)
        if members:
            row |= members
            BUILDS.put(ctx, row)
        ctx.start(BUILD, row["id"], {})
    return row


def _initiator(ctx: Context) -> str:
    """`user`, `role/session`, or the service that asked."""
    principal = ctx.principal
    return principal.arn.partition(":user/")[2] or principal.arn.rpartition(":")[2].removeprefix(
        "assumed-role/"
    )


@operation
async def retry_build(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a build with the settings of an earlier one."""
    row = tables.build(ctx, request.get("id", ""))
    if not row["buildComplete"]:
        raise AwsError(
            "InvalidInputException", f"Build {row['id']} is still in progress and cannot be retried"
        )
    again = dict(row["_request"]) | {
        "sourceVersion": row.get("resolvedSourceVersion") or row.get("sourceVersion", "")
    }
    if not again["sourceVersion"]:
        del again["sourceVersion"]
    if token := request.get("idempotencyToken"):
        again["idempotencyToken"] = token
    if (same := repeated(ctx, again)) is not None:
        return {"build": shown(same)}
    return {"build": shown(start(ctx, again, _initiator(ctx)))}


@operation
async def stop_build(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a running build; one that has ended stays as it is."""
    row = tables.build(ctx, request["id"])
    if not row["buildComplete"]:
        ctx.request_stop(BUILD, row["id"], "STOPPED")
    return {"build": shown(row)}


@operation
async def batch_get_builds(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Builds by id or ARN, and the ids that there are none of."""
    found, missing = [], []
    for id in dict.fromkeys(request["ids"]):
        row = BUILDS.get(ctx, tables.build_id(id))
        (found.append(shown(row)) if row else missing.append(id))
    return {"builds": found, "buildsNotFound": missing}


@operation
async def list_builds(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ids of all builds, the newest first."""
    return _listed(BUILDS.list(ctx), request)


@operation
async def list_builds_for_project(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ids of a project's builds, the newest first."""
    project = tables.project(ctx, request["projectName"])
    return _listed(BUILDS.list(ctx, projectName=project["name"]), request)


def _listed(rows: list[Row], request: dict[str, Any]) -> dict[str, Any]:
    sign = 1 if request.get("sortOrder") == "ASCENDING" else -1
    keyed = sorted((sign * row["startTime"], row["id"]) for row in rows)
    chunk, token = page(keyed, _PAGE, request.get("nextToken"), lambda item: item, "InvalidInputException")
    return {"ids": [id for _, id in chunk], "nextToken": token}


@operation
async def batch_delete_builds(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete builds that have ended."""
    deleted, kept = [], []
    for id in request["ids"]:
        row = BUILDS.get(ctx, tables.build_id(id))
        if row is None or not row["buildComplete"]:
            kept.append({"id": id, "statusCode": "BUILD_IN_PROGRESS" if row else "RESOURCE_NOT_FOUND"})
        else:
            BUILDS.delete(ctx, row["id"])
            deleted.append(row["arn"])
    return {"buildsDeleted": deleted, "buildsNotDeleted": kept}
