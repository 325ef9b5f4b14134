"""Builds: start, stop, retry, read, list, delete.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.execution import BUILD
from homeport.engine.services.codebuild.launch import initiator, launch
from homeport.engine.services.codebuild.tables import BUILDS, Row, shown
from homeport.engine.services.context import Context
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100


@operation(pass_role={"serviceRoleOverride": "codebuild.amazonaws.com"})
async def start_build(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a build."""
    return {"build": shown(launch(ctx, request, initiator(ctx)))}


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
    return {"build": shown(launch(ctx, again, initiator(ctx)))}


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
