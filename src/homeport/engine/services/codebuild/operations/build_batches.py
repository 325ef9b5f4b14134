"""Batches of builds: start, stop, retry, read, list, delete.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuildBatch.html
"""

from __future__ import annotations

import uuid
from typing import Any

from homeport.engine.services.codebuild import tables
from homeport.engine.services.codebuild.batches import BATCH
from homeport.engine.services.codebuild.launch import initiator
from homeport.engine.services.codebuild.starting import TOKEN_SECONDS, effective
from homeport.engine.services.codebuild.tables import BATCHES, BUILDS, IN_PROGRESS, PROJECTS, Row, shown
from homeport.engine.services.context import Context
from homeport.engine.services.idempotency import fingerprint
from homeport.engine.services.pagination import page
from homeport.engine.services.service import operation
from homeport.engine.wire.errors import AwsError

_PAGE = 100
_DEFAULT_TIMEOUT = 480


@operation(
    pass_role={
        "serviceRoleOverride": "codebuild.amazonaws.com",
        "buildBatchConfigOverride.serviceRole": "codebuild.amazonaws.com",
    }
)
async def start_build_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a batch."""
    return {"buildBatch": shown(start_batch(ctx, request, initiator(ctx)))}


def start_batch(ctx: Context, request: dict[str, Any], by: str, kept: list[Row] | None = None) -> Row:
    """Accept a batch. `kept` are build groups of an earlier one that need not run again."""
    token = request.get("idempotencyToken")
    for row in BATCHES.list(ctx, idempotencyToken=token) if token else ():
        if row["startTime"] > ctx.now() - TOKEN_SECONDS and row["_fingerprint"] == fingerprint(request):
            return row
    project = tables.project(ctx, request["projectName"])
    config = {**project.get("buildBatchConfig", {}), **request.get("buildBatchConfigOverride", {})}
    if "serviceRole" not in config:
        raise AwsError(
            "InvalidInputException",
            f"Project {project['name']} has no batch configuration: give it buildBatchConfig with a serviceRole",
        )
    settings = effective(project, request)
    now = ctx.now()
    id = f"{project['name']}:{uuid.uuid4()}"
    row = {
        "id": id,
        "arn": ctx.arn(f"build-batch/{id}"),
        "startTime": now,
        "currentPhase": "DOWNLOAD_BATCHSPEC",
        "buildBatchStatus": IN_PROGRESS,
        "projectName": project["name"],
        "phases": [
            {
                "phaseType": "SUBMITTED",
                "phaseStatus": "SUCCEEDED",
                "startTime": now,
                "endTime": now,
                "durationInSeconds": 0,
            },
            {"phaseType": "DOWNLOAD_BATCHSPEC", "startTime": now},
        ],
        "source": settings["source"],
        "secondarySources": settings.get("secondarySources", []),
        "secondarySourceVersions": settings.get("secondarySourceVersions", []),
        "artifacts": {"location": ""},
        "cache": settings["cache"],
        "environment": settings["environment"],
        "serviceRole": settings["serviceRole"],
        "logConfig": settings.get("logsConfig", {}),
        "buildTimeoutInMinutes": config.get("timeoutInMins") or _DEFAULT_TIMEOUT,
        "queuedTimeoutInMinutes": settings["queuedTimeoutInMinutes"],
        "complete": False,
        "initiator": by,
        "encryptionKey": settings["encryptionKey"],
        "buildBatchNumber": project.get("_batches", 0) + 1,
        "buildBatchConfig": config,
        "buildGroups": [],
        "idempotencyToken": token,
        "_artifacts": settings["artifacts"],
        "_request": {key: value for key, value in request.items() if key != "idempotencyToken"},
        "_fingerprint": fingerprint(request),
        "_kept": kept or [],
    }
    if settings["sourceVersion"]:
        row["sourceVersion"] = settings["sourceVersion"]
    with ctx.store.transaction():
        PROJECTS.put(ctx, project | {"_batches": row["buildBatchNumber"]})
        BATCHES.put(ctx, row)
        ctx.start(BATCH, id, {})
    return row


@operation
async def retry_build_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Start a batch again: all builds, or those that failed."""
    row = _batch(ctx, request.get("id", ""))
    if not row["complete"] or row["buildBatchStatus"] == "SUCCEEDED":
        raise AwsError(
            "InvalidInputException", f"Only batch builds that have failed can be retried: {row['id']}"
        )
    again = dict(row["_request"])
    if token := request.get("idempotencyToken"):
        again["idempotencyToken"] = token
    all_of_them = request.get("retryType") == "RETRY_ALL_BUILDS"
    kept = [
        group
        for group in ([] if all_of_them else row["buildGroups"])
        if group.get("currentBuildSummary", {}).get("buildStatus") == "SUCCEEDED"
    ]
    return {"buildBatch": shown(start_batch(ctx, again, initiator(ctx), kept))}


@operation
async def stop_build_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a batch and its builds."""
    row = _batch(ctx, request["id"])
    if not row["complete"]:
        ctx.request_stop(BATCH, row["id"], "STOPPED")
    return {"buildBatch": shown(row)}


@operation
async def batch_get_build_batches(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Batches by id or ARN."""
    found = {id: BATCHES.get(ctx, _id(id)) for id in request["ids"]}
    return {
        "buildBatches": [shown(row) for row in found.values() if row],
        "buildBatchesNotFound": [id for id, row in found.items() if not row],
    }


@operation
async def list_build_batches(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ids of all batches, the newest first."""
    return _listed(BATCHES.list(ctx), request)


@operation
async def list_build_batches_for_project(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ids of a project's batches, the newest first."""
    return _listed(BATCHES.list(ctx, projectName=request.get("projectName")), request)


def _listed(rows: list[Row], request: dict[str, Any]) -> dict[str, Any]:
    if status := request.get("filter", {}).get("status"):
        rows = [row for row in rows if row["buildBatchStatus"] == status]
    sign = 1 if request.get("sortOrder") == "ASCENDING" else -1
    keyed = sorted((sign * row["startTime"], row["id"]) for row in rows)
    size = request.get("maxResults", _PAGE)
    chunk, token = page(keyed, size, request.get("nextToken"), lambda item: item, "InvalidInputException")
    return {"ids": [id for _, id in chunk], "nextToken": token}


@operation
async def delete_build_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a batch that has ended, with its builds."""
    row = _batch(ctx, request["id"])
    if not row["complete"]:
        raise AwsError("InvalidInputException", f"Batch {row['id']} is in progress: stop it first")
    deleted = []
    with ctx.store.transaction():
        for build in BUILDS.list(ctx, buildBatchArn=row["arn"]):
            if build["buildComplete"]:
                BUILDS.delete(ctx, build["id"])
                deleted.append(build["arn"])
        BATCHES.delete(ctx, row["id"])
    return {"statusCode": "BATCH_DELETED", "buildsDeleted": deleted, "buildsNotDeleted": []}


def _id(id: str) -> str:
    return id.rpartition(":build-batch/")[2] if id.startswith("arn:") else id


def _batch(ctx: Context, id: str) -> Row:
    row = BATCHES.get(ctx, _id(id))
    if row is None:
        raise AwsError("ResourceNotFoundException", f"Build batch cannot be found: {id}")
    return row
